"""What all tests share: their order, patience with a slow machine, and the one PostgreSQL server of a test process."""

import pytest

SLOW_FIRST = ("chaos", "browser", "overlay", "cli", "conformance", "examples", "server")
"""Rooms that begin first, so that at the end no worker waits for another's long file."""


def pytest_configure():
    from hypothesis import HealthCheck, settings

    patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("patient", settings.get_profile(settings.get_current_profile_name()), **patient)
    settings.load_profile("patient")


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
