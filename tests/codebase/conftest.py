from collections.abc import Callable
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
