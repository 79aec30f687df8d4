"""Definitions and uses in languages other than Python, by name: what tree-sitter's tag queries find.

The grammars come with the extra `languages`; without it, files of these languages are listed without definitions.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from contexten.codebase import record as rec
from contexten.codebase.record import Record, SymbolRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tree_sitter import Node

NOT_INSTALLED = "definitions are not read. Install the grammars: pip install 'contexten[languages]'"
_MAX_SIGNATURE = 300
_MAX_DEPTH = 400
"""Levels of the syntax tree that are looked at: code that people write has a tenth of it."""
_MAX_WRONG = 5000
"""Pieces in a row that make no sense; to search among more takes a time that grows with the square of their number."""
_DEFINITIONS = {
    "function": "function",
    "macro": "function",
    "method": "method",
    "class": "class",
    "interface": "class",
    "type": "class",
    "constant": "variable",
}
_USES = {"call": rec.CALL, "class": rec.CALL, "type": rec.ANNOTATION, "implementation": rec.BASE}
_MORE = {
    "c": """
        (type_identifier) @name @reference.type
        (call_expression function: (identifier) @name) @reference.call
        (call_expression function: (field_expression field: (field_identifier) @name)) @reference.call
    """,
    "cpp": """
        (type_identifier) @name @reference.type
        (call_expression function: (identifier) @name) @reference.call
        (call_expression function: (field_expression field: (field_identifier) @name)) @reference.call
        (call_expression function: (qualified_identifier name: (identifier) @name)) @reference.call
        (new_expression type: (type_identifier) @name) @reference.class
        (base_class_clause (type_identifier) @name) @reference.implementation
    """,
    "java": "(constructor_declaration name: (identifier) @name) @definition.method",
    "javascript": "(class_heritage (identifier) @name) @reference.implementation",
    "typescript": """
        (type_alias_declaration name: (type_identifier) @name) @definition.type
        (enum_declaration name: (identifier) @name) @definition.type
        (extends_clause value: (identifier) @name) @reference.implementation
        (implements_clause (type_identifier) @name) @reference.implementation
    """,
    "rust": "(call_expression function: (scoped_identifier name: (identifier) @name)) @reference.call",
}
_COMMENT = re.compile(r"^\s*(?:/\*+!?|\*+/|//+!?|\*(?!/))?\s?|\s*\*+/\s*$")


class _Tag(NamedTuple):
    kind: str
    node: Node
    name: Node
    comments: Sequence[Node]


def scan_tags(language: str, content: bytes) -> Record:
    """What is defined and used in a file; only the number of lines when the grammar is not installed."""
    record = Record(language, content.count(b"\n") + (bool(content) and not content.endswith(b"\n")))
    grammar = _grammar(language)
    if grammar is None:
        return record
    from tree_sitter import Parser, QueryCursor

    root = Parser(grammar[0]).parse(content).root_node
    if any(each.type == "ERROR" and each.child_count > _MAX_WRONG for each in (root, *root.children)):
        record.problem = f"it does not look like {language}"
        return record
    cursor = QueryCursor(grammar[1])
    cursor.set_max_start_depth(_MAX_DEPTH)
    tags = list(_tags(cursor.matches(root)))
    definitions = _outermost_first(tag for tag in tags if tag.kind in _DEFINITIONS)
    _define(record, definitions, content)
    _use(record, [tag for tag in tags if tag.kind.startswith("reference.")], definitions)
    return record


def available() -> bool:
    """Whether the grammars are installed."""
    return _grammar("javascript") is not None


@cache
def _grammar(language: str) -> tuple[Any, Any] | None:
    """A language and its query, or None when its package is not installed."""
    family = "typescript" if language == "tsx" else language
    try:
        from tree_sitter import Language, Query

        package = import_module(f"tree_sitter_{family}")
        queries = [package.TAGS_QUERY, _MORE.get(family, "")]
        if family == "typescript":
            queries.insert(0, import_module("tree_sitter_javascript").TAGS_QUERY)
    except ImportError:
        return None
    function = getattr(package, f"language_{language}", None) or package.language
    grammar = Language(function())
    return grammar, Query(grammar, "\n".join(queries))


def _tags(matches: Iterable[tuple[int, dict[str, list[Node]]]]) -> Iterable[_Tag]:
    for _pattern, captures in matches:
        for capture, nodes in captures.items():
            role, _dot, kind = capture.partition(".")
            if role in ("definition", "reference") and captures.get("name") and captures["name"][0].text:
                comments = captures.get("doc", ())
                yield _Tag(kind if role == "definition" else capture, nodes[0], captures["name"][0], comments)


def _outermost_first(tags: Iterable[_Tag]) -> list[_Tag]:
    """One tag for each defined name, by place; of two for one name the more special."""
    best: dict[int, _Tag] = {}
    for tag in tags:
        known = best.get(tag.name.start_byte)
        if known is None or (known.kind, tag.kind) == ("function", "method") or len(tag.comments) > len(known.comments):
            best[tag.name.start_byte] = tag if known is None or known.kind != "method" else tag._replace(kind="method")
    return sorted(best.values(), key=lambda tag: (_span(tag)[0], -_span(tag)[1], tag.name.start_byte))


def _define(record: Record, definitions: Sequence[_Tag], content: bytes) -> None:
    spans = [_span(tag) for tag in definitions]
    for tag, span, parent in zip(definitions, spans, _around(spans, spans), strict=True):
        record.symbols.append(
            SymbolRow(
                name=_text(tag.name),
                kind=_DEFINITIONS[tag.kind],
                parent=parent,
                line=tag.name.start_point[0] + 1,
                column=tag.name.start_point[1],
                end_line=_whole(tag.node).end_point[0] + 1,
                signature=_signature(content[slice(*span)]),
                docstring="\n".join(filter(None, (_comment(each) for each in tag.comments))),
                decorators=[],
                bases=[],
                type="",
            )
        )


def _use(record: Record, references: Sequence[_Tag], definitions: Sequence[_Tag]) -> None:
    defined = {tag.name.start_byte for tag in definitions}
    kinds = {
        tag.name: _USES.get(tag.kind.partition(".")[2]) for tag in references if tag.name.start_byte not in defined
    }
    names = sorted((name for name, kind in kinds.items() if kind is not None), key=lambda name: name.start_byte)
    owners = _around([(name.start_byte, name.end_byte) for name in names], [_span(tag) for tag in definitions])
    uses: dict[str, list[int]] = {}
    for name, owner in zip(names, owners, strict=True):
        line, column = name.start_point
        uses.setdefault(_text(name), []).extend((line + 1, column, (owner + 1) * 16 + (kinds[name] or 0)))
    for text in sorted(uses):
        record.chains.append(text)
        record.offsets.append(len(record.uses) // 3)
        record.uses.extend(uses[text])
    record.offsets.append(len(record.uses) // 3)


def _around(places: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> list[int]:
    """The innermost span that holds each place, or -1; both in the order of their beginnings."""
    found, inside, coming = [], [], 0
    for start, end in places:
        while coming < len(spans) and spans[coming][0] <= start:
            inside.append(coming)
            coming += 1
        inside = [each for each in inside if spans[each][1] > start]
        holding = [each for each in inside if spans[each][1] >= end and spans[each] != (start, end)]
        found.append(holding[-1] if holding else -1)
    return found


def _span(tag: _Tag) -> tuple[int, int]:
    whole = _whole(tag.node)
    return whole.start_byte, whole.end_byte


def _whole(node: Node) -> Node:
    """The whole definition where the tag is only its head, as in C."""
    while node.type.endswith("declarator") and node.parent is not None:
        node = node.parent
    return node


def _signature(text: bytes) -> str:
    head = re.split(r"\{|=>|;\s*$", text.decode("utf-8", "replace"), maxsplit=1)[0]
    short = " ".join(head.split())
    return short if len(short) <= _MAX_SIGNATURE else f"{short[:_MAX_SIGNATURE]}…"


def _comment(node: Node) -> str:
    return "\n".join(_COMMENT.sub("", line) for line in _text(node).splitlines()).strip()


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
