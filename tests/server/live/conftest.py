"""A real server on loopback with callers of each kind."""

import pytest

from running_server import running


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with running(tmp_path_factory.mktemp("server")) as place:
        yield place


@pytest.fixture(scope="module")
def admin(place):
    return place.admin
