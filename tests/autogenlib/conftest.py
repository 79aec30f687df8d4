"""A server that writes code by a script, and a project that uses it."""

from autogen_project import anyio_backend, coder, project, server

__all__ = ["anyio_backend", "coder", "project", "server"]
