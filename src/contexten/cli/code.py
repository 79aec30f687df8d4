"""`contexten code`: questions about the code in a folder, answered without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contexten._plain import clean
from contexten.cli.output import emit, note, say
from contexten.cli.prompt import read_prompt
from contexten.cli.words import Json, Prompt, application

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contexten.codebase import Codebase, Reference, Symbol

app = application(
    "Ask about the code in a folder: no server is needed, and nothing is written into it. Python is followed through "
    "imports, classes and types; JavaScript, TypeScript, Java, Go, Rust, C and C++ by name. The index is kept in the "
    "user's cache folder (CONTEXTEN_CACHE_DIR), so the next question reads only what has changed.",
    'contexten code context "add retry to the upload client"',
)

Repo = Annotated[Path, typer.Option(help="Folder to read; the current one when absent.", metavar="FOLDER")]
Name = Annotated[
    str, typer.Argument(help="Name of a function, class, variable or module, or the end of its dotted name: Cart.add.")
]
Depth = Annotated[int, typer.Option(help="How many steps of calls to follow back.", min=1, max=20)]
Count = Annotated[int, typer.Option(help="How many to show.", min=1, max=1000)]

_HERE = Path()
_KINDS = "read, call, write, import, base, decorator, annotation or export"


@app.command(epilog="Example: contexten code overview --repo ~/src/shop")
def overview(*, repo: Repo = _HERE, json: Json = False) -> None:
    """Show what a codebase consists of and which files matter most."""
    from contexten.codebase import get_codebase_summary

    summary = get_codebase_summary(_read(repo))
    if json:
        emit(summary.data)
    else:
        say(clean(summary))


@app.command(epilog="Example: contexten code symbol Cart.add")
def symbol(name: Name, *, repo: Repo = _HERE, json: Json = False) -> None:
    """Show what a symbol is, what it uses and who uses it."""
    from contexten.codebase import get_symbol_summary

    summaries = [get_symbol_summary(each) for each in _symbols(_read(repo), name)]
    if json:
        emit([each.data for each in summaries])
    else:
        say(clean("\n\n".join(summaries)))


@app.command(epilog="Example: contexten code refs Cart --kind call --kind base")
def refs(
    name: Name,
    *,
    kind: Annotated[list[str] | None, typer.Option(help=f"Only these, once for each: {_KINDS}.")] = None,
    possible: Annotated[bool, typer.Option("--possible", help="Also uses that only the name tells.")] = False,
    repo: Repo = _HERE,
    json: Json = False,
) -> None:
    """List where a symbol is used."""
    codebase = _read(repo)
    symbols = _symbols(codebase, name)
    _show({one: codebase.references(one, kind or None, possible=possible) for one in symbols}, "uses", json=json)


@app.command(epilog="Example: contexten code callers Cart.add --depth 2")
def callers(name: Name, *, depth: Depth = 1, repo: Repo = _HERE, json: Json = False) -> None:
    """List the calls of a function, and the calls of its callers."""
    codebase = _read(repo)
    _show({one: codebase.callers(one, depth) for one in _symbols(codebase, name)}, "calls", json=json)


@app.command(epilog="Example: contexten code similar validate_email")
def similar(name: Name, *, limit: Count = 10, repo: Repo = _HERE, json: Json = False) -> None:
    """List functions or classes that are about the same words, with a likeness from 0 to 1."""
    codebase = _read(repo)
    symbol = _symbols(codebase, name)[0]
    found = codebase.similar(symbol, limit)
    if json:
        emit([{"likeness": score, **each.as_data()} for each, score in found])
    else:
        from contexten.codebase.telling import likeness_lines

        _tell(likeness_lines(symbol, found), found=bool(found))


@app.command(epilog='Example: contexten code context "add retry to the upload client" --caller shop/client.py')
def context(
    prompt: Prompt,
    *,
    caller: Annotated[str | None, typer.Option(help="Where the code goes: a path, path:line or a name.")] = None,
    budget: Annotated[int, typer.Option(help="Length in tokens, at most.", min=100, max=1_000_000)] = 4000,
    repo: Repo = _HERE,
    json: Json = False,
) -> None:
    """Show what of the codebase a task needs, ready to paste into a prompt.

    The best definitions stand there whole, others with their signature; --json gives a score and the reason for each.
    """
    task = read_prompt(prompt, "contexten code context")
    found = _read(repo).relevant_context(task, caller, budget)
    if json:
        emit(found.as_data())
    elif found.items:
        say(clean(str(found)))
    else:
        note("Nothing in the code has to do with it. Name a function or a file, or say where: --caller shop/client.py")


def _read(repo: Path) -> Codebase:
    from contexten.codebase import Codebase

    return Codebase.from_path(repo)


def _symbols(codebase: Codebase, name: str) -> list[Symbol]:
    from contexten.codebase.telling import symbols_named

    return symbols_named(codebase, name, otherwise=f'Look for its words: contexten code context "{name}"')


def _show(found: Mapping[Symbol, Sequence[Reference]], what: str, *, json: bool) -> None:
    """List references; under a heading for each symbol when several have the name."""
    if json:
        emit([each.as_data() for references in found.values() for each in references])
        return
    from contexten.codebase.telling import reference_lines

    _tell(reference_lines(found, what), found=any(found.values()))


def _tell(lines: Iterable[str], *, found: bool) -> None:
    """Lines of result, or a line that says that there is none."""
    for each in lines:
        (say if found else note)(clean(each))
