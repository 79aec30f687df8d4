"""The law of the house: a room imports only from lower floors, and its files stay small enough to read in one sitting."""

import ast
from pathlib import Path

import pytest

import contexten

ROOT = Path(contexten.__file__).parent
FLOORS = {
    **dict.fromkeys(("_lazy", "_plain", "_version", "errors", "settings", "protocol"), 0),
    **dict.fromkeys(("telemetry", "resilience", "cache", "codebase"), 1),
    "client": 2,
    **dict.fromkeys(("agents", "engines"), 3),
    **dict.fromkeys(("workflows", "autogenlib", "mcp"), 4),
    **dict.fromkeys(("server", "overlay", "extensions", "autogen"), 5),
    "dashboard": 6,
    "cli": 7,
    "__main__": 8,
}
LONGEST = 500


def rooms():
    return sorted(path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists())


def sources():
    return sorted(ROOT.rglob("*.py"))


def files_of(room):
    path = ROOT / f"{room}.py"
    return [path] if path.exists() else sorted((ROOT / room).rglob("*.py"))


def imported_rooms(file):
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            top, _, rest = name.partition(".")
            room = rest.partition(".")[0]
            if top == "contexten" and room in FLOORS:
                yield room


@pytest.mark.parametrize("room", [room for room in rooms() if room != "__init__"])
def test_a_room_imports_only_from_lower_floors(room):
    floor = FLOORS[room]
    upward = {
        f"{file.relative_to(ROOT)} imports {other}"
        for file in files_of(room)
        for other in imported_rooms(file)
        if other != room and FLOORS[other] >= floor and not (floor == 0 and FLOORS[other] == 0)
    }
    assert not upward


def test_the_overlay_needs_only_the_two_lowest_floors():
    """Its files are carried into somebody else's package."""
    above = {room for file in files_of("overlay") for room in imported_rooms(file) if FLOORS[room] > 1}
    assert above <= {"overlay"}


def test_every_file_can_be_read_in_one_sitting():
    long = {str(file.relative_to(ROOT)) for file in sources() if file.read_text("utf-8").count("\n") > LONGEST}
    assert not long, "two subjects in one room: split by subject"


def test_every_file_says_first_what_it_is_for():
    silent = {
        str(file.relative_to(ROOT)) for file in sources() if not ast.get_docstring(ast.parse(file.read_text("utf-8")))
    }
    assert not silent
