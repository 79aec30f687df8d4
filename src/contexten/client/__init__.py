"""Talking to a server that speaks the Codegen API: synchronous and asynchronous twins over shared requests."""
