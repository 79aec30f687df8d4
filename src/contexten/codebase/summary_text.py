"""The text of summaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MANY = 12
_Facts = Mapping[str, Any]


def first_line(text: str) -> str:
    """The first line of a docstring."""
    return text.partition("\n")[0].strip()


def _heading(data: _Facts) -> str:
    decorators = "".join(f"@{each}\n" for each in data["decorators"])
    title = data["signature"] or f"{data['kind']} {data['name']}"
    docstring = "".join(f"\n    {line}".rstrip() for line in data["docstring"].splitlines())
    return f"{decorators}{title}    # {data['qualified_name']}, {data['location']}-{data['end_line']}{docstring}"


def _listed(title: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" … and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return [f"{title} ({len(names)}): {', '.join(names[:_MANY])}{more}"]


def _outline(entry: _Facts) -> str:
    about = first_line(entry["docstring"])
    line = entry["location"].rpartition(":")[2]
    return f"    {entry['signature'] or entry['name']}    # line {line}{': ' if about else ''}{about}"


def codebase_text(data: _Facts) -> str:
    """A whole codebase."""
    counts = ", ".join(f"{count} {kind}" for kind, count in data["symbols"].items()) or "no definitions"
    languages = ", ".join(f"{name} {count}" for name, count in data["languages"].items()) or "none"
    lines = [
        f"{data['name']}: {data['files']} files, {data['lines']} lines ({languages})",
        f"definitions: {counts}; imports: {data['imports']}; files with problems: {data['problems']}",
        "central files, the most depended on first:",
        *(f"    {each['path']}{_about(each['about'])}" for each in data["central_files"]),
    ]
    lines.extend(["files with problems:"] if data["problem_files"] else [])
    lines.extend(f"    {each['path']}: {each['message']}" for each in data["problem_files"])
    return "\n".join(lines)


def file_text(data: _Facts) -> str:
    """A file."""
    name = f" ({data['module']})" if data["module"] else ""
    lines = [f"{data['path']}{name}: {data['language']}, {data['lines']} lines"]
    lines.extend(f"    {line}".rstrip() for line in data["docstring"].splitlines())
    lines.extend(["defines:", *map(_outline, data["definitions"])] if data["definitions"] else [])
    lines.extend(_listed("variables", data["variables"]))
    lines.extend(_listed("imports from the codebase", data["imports"]))
    lines.extend(_listed("imports from elsewhere", data["external_imports"]))
    lines.extend(_listed("imported by", data["imported_by"]))
    return "\n".join(lines)


def class_text(data: _Facts) -> str:
    """A class."""
    lines = [_heading(data)]
    lines.extend(_listed("derives from", data["bases"]))
    lines.extend(_listed("subclasses", data["subclasses"]))
    lines.extend(["methods:", *map(_outline, data["methods"])] if data["methods"] else [])
    lines.extend(_listed("attributes", data["attributes"]))
    lines.extend(_listed("uses", data["uses"]))
    lines.extend(_listed("used in", data["used_in"]))
    return "\n".join(lines)


def function_text(data: _Facts) -> str:
    """A function or method."""
    lines = [_heading(data)]
    lines.extend(_listed("calls", data["calls"]))
    lines.extend(_listed("uses", data["uses"]))
    lines.extend(_listed("called from", data["callers"]))
    return "\n".join(lines)


def _about(text: str) -> str:
    return f"  # {text}" if text else ""


def symbol_text(data: _Facts) -> str:
    """A variable, an attribute or the like."""
    return "\n".join([_heading(data), *_listed("used in", data["used_in"])])
