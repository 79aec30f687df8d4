"""`contexten code`: questions about the code in a folder, answered without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contexten.cli.output import clean, emit, say
from contexten.cli.words import Json, application

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contexten.codebase import Codebase, Reference, Symbol

app = application("Ask about the code in a folder.", 'contexten code context "add retry to the upload client"')

Repo = Annotated[Path, typer.Option(help="Folder to read; the current one when absent.", metavar="FOLDER")]
Name = Annotated[str, typer.Argument(help="Name of a function, class or variable, or the end of its dotted name.")]
Depth = Annotated[int, typer.Option(help="How many steps of calls to follow back.", min=1, max=20)]
Count = Annotated[int, typer.Option(help="How many to show.", min=1, max=1000)]

_HERE = Path()


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
    kind: Annotated[list[str] | None, typer.Option(help="Only these: call, import, read, write, base …")] = None,
    possible: Annotated[bool, typer.Option("--possible", help="Also uses that only the name tells.")] = False,
    repo: Repo = _HERE,
    json: Json = False,
) -> None:
    """List where a symbol is used."""
    codebase = _read(repo)
    found = [
        each for one in _symbols(codebase, name) for each in codebase.references(one, kind or None, possible=possible)
    ]
    _show(found, json=json)


@app.command(epilog="Example: contexten code callers Cart.add --depth 2")
def callers(name: Name, *, depth: Depth = 1, repo: Repo = _HERE, json: Json = False) -> None:
    """List the calls of a function, and the calls of its callers."""
    codebase = _read(repo)
    _show([each for one in _symbols(codebase, name) for each in codebase.callers(one, depth)], json=json)


@app.command(epilog="Example: contexten code similar validate_email")
def similar(name: Name, *, limit: Count = 10, repo: Repo = _HERE, json: Json = False) -> None:
    """List functions or classes that are about the same."""
    codebase = _read(repo)
    found = codebase.similar(_symbols(codebase, name)[0], limit)
    if json:
        emit([{"likeness": score, **each.as_data()} for each, score in found])
    for each, score in [] if json else found:
        say(clean(f"{score:4.2f}  {each.location}  {each.signature or each.qualified_name}"))


@app.command(epilog='Example: contexten code context "add retry to the upload client" --caller shop/client.py')
def context(
    prompt: Annotated[str, typer.Argument(help="The task.", metavar="PROMPT")],
    *,
    caller: Annotated[str | None, typer.Option(help="Where the code goes: a path, path:line or a name.")] = None,
    budget: Annotated[int, typer.Option(help="Length in tokens, at most.", min=100, max=1_000_000)] = 4000,
    repo: Repo = _HERE,
    json: Json = False,
) -> None:
    """Show what of the codebase a task needs, ready to paste into a prompt."""
    found = _read(repo).relevant_context(prompt, caller, budget)
    if json:
        emit(found.as_data())
    else:
        say(clean(str(found)))


def _read(repo: Path) -> Codebase:
    from contexten.codebase import Codebase

    return Codebase.from_path(repo)


def _symbols(codebase: Codebase, name: str) -> list[Symbol]:
    found = codebase.symbols(name)
    if not found:
        from contexten.errors import CodebaseError

        near = codebase.spellings(name)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise CodebaseError(f"no symbol {name} in {codebase.root}.{hint}")
    return found


def _show(references: Iterable[Reference], *, json: bool) -> None:
    if json:
        emit([each.as_data() for each in references])
        return
    for each in references:
        certain = "" if each.certain else " (perhaps)"
        within = each.symbol.qualified_name if each.symbol else "(module)"
        say(clean(f"{each.location}  {each.kind}{certain}  in {within}: {each.text}"))
