"""The order of the suite: what is slow begins first, so that at the end no worker waits for another's long file."""

SLOW_FIRST = ("chaos", "overlay", "cli", "conformance", "examples", "server")


def pytest_collection_modifyitems(items):
    items.sort(key=_place)


def _place(item):
    room = item.path.relative_to(item.config.rootpath / "tests").parts[0]
    return SLOW_FIRST.index(room) if room in SLOW_FIRST else len(SLOW_FIRST)
