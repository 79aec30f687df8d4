"""From questions to steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.analyst.markdown import shorten
from contexten.engines.analyst.step import Step
from contexten.engines.analyst.understanding.intents import Intent
from contexten.engines.analyst.understanding.words import significant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contexten.engines.analyst.understanding.clause import Question

MAX_STEPS = 24
_LABEL = 48

# Questions about a name: the tool that answers them once the name is found, and its title.
_ABOUT: dict[Intent, tuple[str, str]] = {
    Intent.CALLEES: ("callees", "list what it calls"),
    Intent.EXPLAIN: ("explain", "read what it is for"),
    Intent.SHOW: ("show", "show its source"),
    Intent.CONTENTS: ("contents", "list what it defines"),
    Intent.BASES: ("bases", "list base classes"),
    Intent.IMPORTS: ("imports", "list imports"),
}
_SCOPED: dict[Intent, tuple[str, str]] = {
    Intent.CALLERS: ("callers", "list callers"),
    Intent.USES: ("uses", "list uses"),
}
_WHOLE: dict[Intent, tuple[str, str]] = {
    Intent.OVERVIEW: ("overview", "look over the repository"),
    Intent.DEPENDENCIES: ("dependencies", "list dependencies"),
    Intent.ENTRY_POINTS: ("entry_points", "list entry points"),
    Intent.SETUP: ("setup", "read how it is set up"),
}
_LINES: dict[Intent, str] = {
    Intent.ENVIRONMENT: "search for environment variables",
    Intent.VERSIONS: "search for language versions",
    Intent.OPTIONS: "search for command line options",
    Intent.ROUTES: "search for routes",
}
_ASPECTS = {
    "retry": "read retry policy",
    "raises": "read what it raises",
    "catches": "read what it catches",
    "returns": "read what it returns",
    "parameters": "read its parameters",
    "async": "read whether it is asynchronous",
    "cached": "read whether it is cached",
    "logs": "read what it logs",
    "timeout": "read its timeouts",
    "locks": "read its locks",
    "deprecated": "read whether it is deprecated",
    "decorators": "read its decorators",
    "value": "read its value",
    "docstring": "read its docstring",
}


def make_plan(questions: Iterable[Question]) -> list[Step]:
    """The steps that answer some questions, each once, at most `MAX_STEPS`."""
    steps: list[Step] = []
    for question in questions:
        for step in _steps(question):
            if not any(step.tool == other.tool and step.input == other.input for other in steps):
                steps.append(step)
    return steps[:MAX_STEPS]


def in_words(steps: list[Step]) -> str:
    """A plan in one line: `3 steps: find refund_order · list callers · read retry policy`."""
    titles = " · ".join(step.title for step in steps)
    return shorten(f"{len(steps)} step{'' if len(steps) == 1 else 's'}: {titles}", 240)


def _steps(question: Question) -> Iterator[Step]:
    if question.intent in _WHOLE:
        tool, title = _WHOLE[question.intent]
        yield Step(tool, title)
    elif question.intent in _LINES:
        yield Step("lines", _LINES[question.intent], {"kind": question.intent.value})
    elif question.intent in _SPECIAL:
        yield from _SPECIAL[question.intent](question)
    else:
        for name in question.subjects:
            yield _find(name)
            yield from _about(question, name)


def _about(question: Question, name: str) -> Iterator[Step]:
    intent = question.intent
    if intent in _ABOUT:
        tool, title = _ABOUT[intent]
        yield Step(tool, title, {"name": name}, about=name)
    elif intent in _SCOPED:
        tool, title = _SCOPED[intent]
        yield Step(tool, title, {"name": name, "scope": question.scope}, about=name)
    elif intent is Intent.ASPECT:
        yield Step("read", _ASPECTS[question.detail], {"name": name, "aspect": question.detail}, about=name)


def _find(name: str) -> Step:
    return Step("find", f"find {_label(name)}", {"name": name})


def _text(question: Question) -> Iterator[Step]:
    if not question.subjects:
        yield Step("lines", "search for open TODOs", {"kind": "todo", "scope": question.scope})
    for needle in question.subjects:
        yield Step("text", f"search for {_label(needle)!r}", {"needle": needle, "scope": question.scope})


def _search(question: Question) -> Iterator[Step]:
    for name in question.subjects:
        yield _find(name)
        yield Step("explain", "read what it is for", {"name": name}, about=name)
    words = significant(question.text)
    if set(words) - set(question.subjects) or not question.subjects:
        yield Step(
            "search",
            f"search for {_label(', '.join(words))}",
            {"prompt": shorten(question.text, 500), "words": words[:10]},
        )


def _context(question: Question) -> Iterator[Step]:
    """What one who changes the code would read first."""
    for name in question.subjects:
        yield _find(name)
        yield Step("explain", "read what it is for", {"name": name}, about=name)
        yield Step("callers", "list callers", {"name": name, "scope": None}, about=name)
        yield Step("tests", "list its tests", {"name": name}, about=name)
    words = [word for word in significant(question.text)[1:] if word not in question.subjects]
    if not question.subjects and words:
        yield Step(
            "search",
            f"search for {_label(', '.join(words))}",
            {"prompt": shorten(question.text, 500), "words": words[:10]},
        )


def _count(question: Question) -> Iterator[Step]:
    for name in question.subjects or (None,):
        asked = {"what": question.detail or question.text, "name": name, "scope": question.scope}
        yield Step("count", "count", asked)


def _largest(question: Question) -> Iterator[Step]:
    yield Step("largest", "rank them", {"what": question.text})


def _unused(question: Question) -> Iterator[Step]:
    title = "look for what nothing refers to"
    if not question.subjects:
        yield Step("unused", title, {"what": question.text})
    for name in question.subjects:
        yield _find(name)
        yield Step("unused", title, {"what": question.text, "name": name}, about=name)


def _cycles(question: Question) -> Iterator[Step]:
    title = "look for imports in a circle"
    if not question.subjects:
        yield Step("cycles", title)
    for name in question.subjects:
        yield _find(name)
        yield Step("cycles", title, {"name": name}, about=name)


def _having(question: Question) -> Iterator[Step]:
    yield Step("having", "list which have it", {"aspect": question.detail, "what": question.text})


def _exports(question: Question) -> Iterator[Step]:
    if not question.subjects:
        yield Step("exports", "list what it exports")
    for name in question.subjects:
        yield _find(name)
        yield Step("exports", "list what it exports", {"name": name}, about=name)


def _tests(question: Question) -> Iterator[Step]:
    if not question.subjects:
        yield Step("tests", "list tests")
    for name in question.subjects:
        yield _find(name)
        yield Step("tests", "list its tests", {"name": name}, about=name)


def _changes(question: Question) -> Iterator[Step]:
    if not question.subjects:
        yield Step("changes", "read the history")
    for name in question.subjects:
        yield _find(name)
        yield Step("changes", "read its history", {"name": name}, about=name)


def _relation(question: Question) -> Iterator[Step]:
    name, other = question.subjects[0], question.subjects[-1]
    yield from (_find(each) for each in dict.fromkeys((name, other)))
    if name == other:
        yield Step("callees", "list what it calls", {"name": name}, about=name)
    else:
        title = f"see whether {_label(name)} refers to {_label(other)}"
        yield Step("relation", title, {"name": name, "other": other}, about=name)


def _subclasses(question: Question) -> Iterator[Step]:
    for name in question.subjects:
        yield Step("subclasses", f"list subclasses of {_label(name)}", {"name": name})


def _importers(question: Question) -> Iterator[Step]:
    for name in question.subjects:
        yield Step("importers", f"list importers of {_label(name)}", {"name": name})


def _raisers(question: Question) -> Iterator[Step]:
    for name in question.subjects:
        yield Step("raisers", f"find where {_label(name)} is raised or caught", {"name": name})


_SPECIAL: dict[Intent, Callable[[Question], Iterator[Step]]] = {
    Intent.LARGEST: _largest,
    Intent.TEXT: _text,
    Intent.SEARCH: _search,
    Intent.WRITE: _context,
    Intent.COUNT: _count,
    Intent.UNUSED: _unused,
    Intent.CYCLES: _cycles,
    Intent.TESTS: _tests,
    Intent.CHANGES: _changes,
    Intent.RELATION: _relation,
    Intent.SUBCLASSES: _subclasses,
    Intent.IMPORTERS: _importers,
    Intent.RAISERS: _raisers,
    Intent.EXPORTS: _exports,
    Intent.HAVING: _having,
}


def _label(text: str) -> str:
    return shorten(text, _LABEL)
