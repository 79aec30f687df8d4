"""Putting the findings together: the answer in Markdown, and its summary in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.engines.analyst.markdown import bullets, shorten
from contexten.engines.analyst.understanding.intents import Intent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contexten.engines.analyst.step import Finding, Step
    from contexten.engines.analyst.understanding.clause import Question
    from contexten.engines.base import Engine

MAX_CHARACTERS = 60_000
_SUMMARY = 200
_EXAMPLES = (
    "Where is `name` defined, and who calls it?",
    "What does `path/to/file.py` do?",
    "What can `name` raise? Is it retried? Which tests cover it?",
    'Find "some text" in src/',
    "What imports `module`? Which classes derive from `name`?",
    "Give me an overview. What changed recently? How do I run the tests? What does the README say?",
    "Which functions are never called? Are there circular imports? What is the public API?",
)
_HELP = "I read this repository and answer questions about it, without a model. For example:\n\n" + bullets(
    [f"*{example}*" for example in _EXAMPLES]
)
_UNCLEAR = "It is not clear what this points at, because nothing was named before. Name a function, class or file."
_NEEDED = (
    "This asks for work that needs a model: {request}. The engine `analyst` only reads code and answers questions about it; "
    "nothing was changed.\n\n{others}"
)
_NO_OTHERS = "There is no other engine here: this version of Contexten comes with none that changes code."
_OTHERS = "Other engines here, one of which may do it (`contexten run --engine NAME …`):\n\n{engines}"


def answered(
    questions: Sequence[Question], steps: Sequence[Step], findings: Sequence[Finding | None]
) -> tuple[str, str]:
    """The answer and its summary."""
    sections = _sections(steps, findings)
    unclear = [question.text for question in questions if question.intent is Intent.UNCLEAR]
    if unclear:
        sections.append(f"{' · '.join(f'*{text}*' for text in unclear)}: {_UNCLEAR}")
    if not sections:
        return _HELP, "What can be asked"
    return _bounded(sections), _summary(steps, findings) or "The question points at something that was not named"


def needs_a_model(
    questions: Sequence[Question], steps: Sequence[Step], findings: Sequence[Finding | None], others: Iterable[Engine]
) -> tuple[str, str]:
    """What a request to change code needs, with the places that whoever does it would read first."""
    request = next(question.text for question in questions if question.intent is Intent.WRITE)
    sections = [_NEEDED.format(request=f"*{shorten(request.strip('*'), 160)}*", others=_listed(others))]
    context = _sections(steps, findings)
    if context:
        sections += ["What I found for it:", *context]
    return _bounded(sections), shorten(f"Needs a model: {request}", _SUMMARY)


def _listed(engines: Iterable[Engine]) -> str:
    states = [(engine.name, engine.availability()) for engine in engines]
    items = [
        f"`{name}`: {'ready' if state.ready else 'not ready'}, {state.detail}".rstrip(", ") for name, state in states
    ]
    return _OTHERS.format(engines=bullets(items)) if items else _NO_OTHERS


def _sections(steps: Sequence[Step], findings: Sequence[Finding | None]) -> list[str]:
    """The findings' answers; what a step found says no more when the next one tells it in full."""
    told = {step.input.get("name") for step in steps if step.tool in {"explain", "show"}}
    sections = []
    for step, finding in zip(steps, findings, strict=True):
        repeated = step.tool == "find" and step.input["name"] in told and finding is not None
        if finding is None or (
            repeated and finding.found and finding.data.get("count", 0) == 1 and finding.data.get("exact", True)
        ):
            continue
        sections.append(finding.answer)
    return sections


def _summary(steps: Sequence[Step], findings: Sequence[Finding | None]) -> str:
    lines = []
    for step, finding in zip(steps, findings, strict=True):
        if finding is not None:
            lines.append(finding.line if step.tool == "find" else f"{step.tool.replace('_', ' ')}: {finding.line}")
    return shorten(" · ".join(lines), _SUMMARY)


def _bounded(sections: Sequence[str]) -> str:
    text = "\n\n".join(section.strip() for section in sections if section.strip())
    if len(text) <= MAX_CHARACTERS:
        return text
    cut = text[:MAX_CHARACTERS].rsplit("\n", 1)[0]
    fence = "\n```" if cut.count("\n```") % 2 else ""
    return f"{cut}{fence}\n\n… the answer was longer than {MAX_CHARACTERS:,} characters; ask for a part of it."
