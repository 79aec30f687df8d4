"""A repository, and coding agents of the test's making on the PATH."""

import os

import pytest

from engines.programs.fake_agents import Agents
from shop_project import commit_all, make_project


@pytest.fixture
def repository(tmp_path):
    """A small git repository."""
    folder = make_project(tmp_path / "shop", {"shop.py": "def refund():\n    return 1\n"})
    commit_all(folder, "Begin")
    return folder


@pytest.fixture
def agents(tmp_path, repository, monkeypatch):
    made = Agents(tmp_path, repository)
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}{os.environ['PATH']}")
    return made
