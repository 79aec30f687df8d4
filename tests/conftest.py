"""The order of the suite, in which what is slow begins first, so that at the end no worker waits for another's long file;
and the one PostgreSQL server of a test process."""

import pytest

SLOW_FIRST = ("chaos", "overlay", "cli", "conformance", "examples", "server")


def pytest_collection_modifyitems(items):
    items.sort(key=_place)


@pytest.fixture(scope="session")
def postgresql():
    from postgresql import running_postgresql

    with running_postgresql() as server:
        yield server


def _place(item):
    room = item.path.relative_to(item.config.rootpath / "tests").parts[0]
    return SLOW_FIRST.index(room) if room in SLOW_FIRST else len(SLOW_FIRST)
