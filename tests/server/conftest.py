"""A real server on loopback with callers of each kind."""

from functools import partial

import pytest

from running_server import running


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with running(tmp_path_factory.mktemp("server")) as place:
        yield place


@pytest.fixture(scope="module")
def admin(place):
    return place.admin


@pytest.fixture
def start(tmp_path):
    """Starts a server with settings of its own. Not beside `place`: one process runs one queue."""
    return partial(running, tmp_path)
