"""Finds Python interpreters for tests that need another version than the one that runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def find_uv() -> str:
    """The `uv` program; fails in CI and skips elsewhere when there is none."""
    return shutil.which("uv") or missing("uv is not on PATH. Install it: python3 -m pip install uv")


def find_python(version: str) -> Path:
    """An interpreter of a version such as `3.12`; fails in CI and skips elsewhere when there is none."""
    found = _from_uv(version) or _from_pyenv(version)
    return found or missing(f"Python {version} is not installed. Install it, for example: uv python install {version}")


def missing(reason: str):
    """Say that a part that a test needs is not there: a failure in CI, a skip on a user's machine."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _from_uv(version: str) -> Path | None:
    found = subprocess.run(
        [find_uv(), "python", "find", "--no-python-downloads", version], capture_output=True, text=True, check=False
    )
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def _from_pyenv(version: str) -> Path | None:
    pyenv = shutil.which("pyenv")
    if not pyenv:
        return None
    root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip()
    found = sorted(Path(root, "versions").glob(f"{version}*/bin/python"))
    return found[-1] if found else None
