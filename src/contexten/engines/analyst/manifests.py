"""What a project declares of itself: README, dependencies, commands, build targets. Only files of the workspace are read."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from contexten.engines.workspace import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READMES = ("README.md", "README.rst", "README.txt", "README", "readme.md", "Readme.md")
_REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements/base.txt", "dev-requirements.txt")
_SET_UP = re.compile(
    r"^#+\s+.*\b(?:install\w*|set ?up|getting started|quick ?start|usage|develop\w*|contribut\w*|test\w*|running|build\w*)\b",
    re.IGNORECASE,
)
_GO_MODULE = re.compile(r"^\s*(?:require\s+)?([\w.\-/]+\.[\w.\-/]+ v[\w.\-+]+)", re.MULTILINE)
_PART_LINES = 40
_PROSE = 30
_PARAGRAPH_LINES = 8

# Files by which a way of working is known, and what to say of it.
_SIGNS = (
    ("uv.lock", "`uv sync` installs what `uv.lock` pins"),
    ("poetry.lock", "`poetry install` installs what `poetry.lock` pins"),
    ("requirements.txt", "`pip install -r requirements.txt` installs what it needs"),
    ("tox.ini", "`tox` runs its test environments"),
    ("noxfile.py", "`nox` runs its sessions"),
    ("pnpm-lock.yaml", "`pnpm install` installs what it needs"),
    ("yarn.lock", "`yarn install` installs what it needs"),
    ("package-lock.json", "`npm ci` installs what it needs"),
    ("go.mod", "`go build ./...` builds it, `go test ./...` runs its tests"),
    ("Cargo.toml", "`cargo build` builds it, `cargo test` runs its tests"),
    ("Dockerfile", "`docker build .` builds its image"),
    ("docker-compose.yml", "`docker compose up` starts its services"),
    ("compose.yaml", "`docker compose up` starts its services"),
)


class Manifests:
    """The files at the top of a project that describe it.

    Args:
        workspace: the project's folder.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace

    def readme(self) -> tuple[str, str]:
        """Name and text of the README; empty strings without one."""
        for name in _READMES:
            if text := self._text(name):
                return name, text
        return "", ""

    def about(self) -> tuple[str, str]:
        """Name of the README and its first paragraph of prose: no headings, badges or lists."""
        name, text = self.readme()
        text = re.sub(r"<!--.*?-->|<[^>\n]+>", "", text, flags=re.DOTALL)
        for paragraph in re.split(r"\n\s*\n", text):
            plain = paragraph.strip()
            prose = re.sub(r"\[?!\[[^\]]*\]\([^)]*\)(?:\]\([^)]*\))?", "", plain)
            if re.match(r"[#=\-*|>`\[!.:{+~]|\d+\.", plain) or len(prose.strip()) < _PROSE or _underlined(plain):
                continue
            return name, "\n".join(plain.splitlines()[:_PARAGRAPH_LINES])
        return "", _text(_at(self._toml("pyproject.toml"), "project").get("description"))

    def set_up_part(self) -> tuple[str, str]:
        """Name of the README and its first section about installing, using or testing; at most 40 lines."""
        name, text = self.readme()
        lines = text.splitlines()
        start = next((number for number, line in enumerate(lines) if _SET_UP.match(line)), None)
        if start is None:
            return "", ""
        level = _level(lines[start])
        fenced, kept = False, [lines[start]]
        for line in lines[start + 1 : start + _PART_LINES]:
            fenced ^= line.startswith("```")
            if not fenced and line.startswith("#") and _level(line) <= level:
                break
            kept.append(line)
        return name, "\n".join(kept + (["```"] if fenced else [])).strip()

    def commands(self) -> list[str]:
        """How to install, build and test it, going by the files that it has."""
        found = [said for name, said in _SIGNS if self._has(name)]
        if not found and (self._has("pyproject.toml") or self._has("setup.py")):
            found.append("`pip install -e .` installs it")
        if "pytest" in self._text("pyproject.toml") or self._has("pytest.ini") or self._has("conftest.py"):
            found.append("`uv run pytest` runs its tests" if self._has("uv.lock") else "`pytest` runs its tests")
        return found

    def targets(self) -> list[str]:
        """Targets of the Makefile and scripts of package.json, as commands."""
        made = re.findall(r"^([A-Za-z][\w-]*)\s*:(?!=)", self._text("Makefile"), re.MULTILINE)
        scripts = _at(self._json("package.json"), "scripts")
        return [f"make {name}" for name in dict.fromkeys(made)] + [f"npm run {name}" for name in scripts]

    def scripts(self) -> list[tuple[str, str, str]]:
        """Commands that it installs: name, what they call, and the file that says so."""
        project = self._toml("pyproject.toml")
        places = (("project", "scripts"), ("project", "gui-scripts"), ("tool", "poetry", "scripts"))
        tables = [(_at(project, *place), "pyproject.toml") for place in places]
        tables.append((_at(self._json("package.json"), "bin"), "package.json"))
        return [
            (name, target, file) for table, file in tables for name, target in table.items() if isinstance(target, str)
        ]

    def dependencies(self) -> dict[str, list[str]]:
        """What it depends on, by the place that declares it."""
        return {place: names for place, names in self._declared() if names}

    def _declared(self) -> Iterator[tuple[str, list[str]]]:
        project = self._toml("pyproject.toml")
        yield "pyproject.toml", _strings(_at(project, "project").get("dependencies"))
        for extra, names in _at(project, "project", "optional-dependencies").items():
            yield f"pyproject.toml, extra {extra}", _strings(names)
        for group, names in _at(project, "dependency-groups").items():
            yield f"pyproject.toml, group {group}", _strings(names)
        yield "pyproject.toml, Poetry", _versions(_at(project, "tool", "poetry", "dependencies"))
        for name in _REQUIREMENTS:
            lines = (line.strip() for line in self._text(name).splitlines())
            yield name, [line for line in lines if line[:1].isalpha()]
        package = self._json("package.json")
        for key in ("dependencies", "devDependencies"):
            yield f"package.json, {key}", _versions(_at(package, key))
        yield "go.mod", _GO_MODULE.findall(self._text("go.mod"))
        yield "Cargo.toml", _versions(_at(self._toml("Cargo.toml"), "dependencies"))

    def _has(self, name: str) -> bool:
        return read_text(self._workspace, name, limit=1) is not None

    def _text(self, name: str) -> str:
        return read_text(self._workspace, name) or ""

    def _toml(self, name: str) -> dict[str, Any]:
        try:
            return tomllib.loads(self._text(name))
        except (ValueError, RecursionError):
            return {}

    def _json(self, name: str) -> dict[str, Any]:
        try:
            return _at(json.loads(self._text(name) or "{}"))
        except (ValueError, RecursionError):
            return {}


def _level(heading: str) -> int:
    return len(heading) - len(heading.lstrip("#"))


def _underlined(paragraph: str) -> bool:
    """Whether it is a heading of the kind that a line of signs underlines."""
    last = paragraph.splitlines()[-1].strip()
    return len(set(last)) == 1 and not last.isalnum()


def _at(value: object, *keys: str) -> dict[str, Any]:
    """The table that keys lead to, one in the other; empty when something else, or nothing, is on the way."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _versions(table: dict[str, Any]) -> list[str]:
    return [f"{name} {version}" if isinstance(version, str) else name for name, version in table.items()]
