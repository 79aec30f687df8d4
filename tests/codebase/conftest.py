import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from contexten.codebase import Codebase

Project = Callable[[dict[str, str]], Codebase]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def project(root: Path) -> Project:
    """Write files into a folder and read it."""

    def make(files: dict[str, str]) -> Codebase:
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(dedent(text).lstrip("\n"), "utf-8")
        return Codebase.from_path(root, cache=None)

    return make


@contextmanager
def _somebody():
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def somebody():
    """A context in which this process is not the superuser, who may read and write everything."""
    return _somebody
