"""`contexten runs`: looking at runs and what they changed, following, resuming, cancelling, searching, deleting."""

from __future__ import annotations

from typing import Annotated

import typer

from contexten.cli.output import emit, emit_line, note, paged, say, styled, table
from contexten.cli.words import Json, Limit, NoFollow, Prompt, RunId, Skip, Yes, application

app = application(
    "List, show, follow, resume, cancel, search and delete runs; see and take over what they changed.",
    "contexten runs logs 3 --follow",
)


@app.command("list", epilog="Example: contexten runs list --limit 5")
def list_(
    *,
    limit: Limit = 20,
    skip: Skip = 0,
    json: Json = False,
) -> None:
    """List runs, newest first."""
    from contexten.cli.connect import connected
    from contexten.cli.live import age

    with connected() as connection:
        page = connection.client.list_agent_runs(skip=skip, limit=limit)
    if json:
        emit(page)
        return
    rows = [
        (run.id, run.status, age(run.created_at), run.get("engine", ""), run.get("prompt", "")) for run in page.items
    ]
    heads = ("RUN", "STATUS", "AGE", "ENGINE", "PROMPT")
    first = 'Make one: contexten run "Give me an overview"'
    paged("runs", heads, rows, skip=skip, total=page.total, first=first)


@app.command(epilog="Example: contexten runs show 3")
def show(run: RunId, *, json: Json = False) -> None:
    """Show a run with its result."""
    from contexten.cli.absent import known
    from contexten.cli.changes import next_steps
    from contexten.cli.connect import connected
    from contexten.cli.live import answer_lines, facts
    from contexten.cli.place import place_of

    with connected() as connection, known(connection, "run", run):
        found = connection.client.get_agent_run(run)
        if json:
            emit(found)
            return
        for name, value in facts(found, place_of(connection, found)):
            say(f"  {styled(f'{name:<10}', 'dim')}{value}")
        for line in answer_lines(found.result or ""):
            say(line)
        if steps := next_steps(connection.client, run):
            say(steps)


@app.command(epilog="Example: contexten runs logs 3 --follow")
def logs(
    run: RunId,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep showing what comes until the run ends.")] = False,
    json: Json = False,
) -> None:
    """Show a run's log. With --json one entry a line."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected
    from contexten.cli.live import LiveLog
    from contexten.cli.waiting import Waiting

    with connected() as connection, known(connection, "run", run), Waiting(connection.client):
        task, log = connection.client.task(run), LiveLog()
        for entry in task.stream() if follow else connection.client.iter_agent_run_logs(run):
            if json:
                emit_line(entry)
            else:
                for line in log.lines(entry):
                    say(line)


@app.command(epilog='Example: contexten runs resume 3 "And who calls cancel_order?"')
def resume(run: RunId, prompt: Prompt, *, no_follow: NoFollow = False, json: Json = False) -> None:
    """Continue a run that has ended with a new prompt."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected
    from contexten.cli.follow import beginning, follow
    from contexten.cli.live import heading
    from contexten.cli.place import place_of
    from contexten.cli.prompt import read_prompt

    text = read_prompt(prompt, f"contexten runs resume {run}")
    again = f'contexten runs resume {run} "…"'
    with (
        beginning(again) as begun,
        connected(start=not no_follow, patient=True) as connection,
        known(connection, "run", run),
    ):
        task = connection.client.task(run).resume(text)
        begun.set()
        place = place_of(connection, task.run)
        if not no_follow:
            raise typer.Exit(follow(connection, task, place=place, json=json))
        if json:
            emit(task.run)
        else:
            say(heading(task.run, place))


@app.command(epilog="Example: contexten runs cancel 3")
def cancel(run: RunId, *, json: Json = False) -> None:
    """Cancel a run that goes on."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected
    from contexten.errors import ContextenError

    with connected() as connection, known(connection, "run", run):
        ended = connection.client.cancel_agent_run(run)
    if json:
        emit(ended)
    if str(ended.status) != "CANCELLED":
        raise ContextenError(
            f"run {run} had ended already: {str(ended.status).lower()}. See: contexten runs show {run}"
        )
    if not json:
        say(f"run {run} cancelled")


@app.command(epilog="Example: contexten runs diff 3 | git apply")
def diff(
    run: RunId,
    *,
    stat: Annotated[bool, typer.Option("--stat", help="Only how much was changed in which file.")] = False,
    json: Json = False,
) -> None:
    """Show what a run changed in its own copy of the repository, as a patch."""
    from contexten.cli.absent import known
    from contexten.cli.changes import nothing, show_figures, show_patch
    from contexten.cli.connect import connected

    with connected() as connection, known(connection, "run", run):
        found = connection.client.get_agent_run_diff(run)
        why_empty = "" if found.files else nothing(connection.client.get_agent_run(run))
    if json:
        emit(found)
    elif why_empty:
        note(why_empty)
    elif stat:
        show_figures(found)
    else:
        show_patch(found)


@app.command(epilog="Example: contexten runs apply 3 --check")
def apply(
    run: RunId,
    *,
    repo: Annotated[
        str | None,
        typer.Option(help="Folder to change; the one that the run is about when absent.", metavar="PATH"),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only see whether it would work.")] = False,
    branch: Annotated[bool, typer.Option("--branch", help="On a new branch, contexten/run-RUN.")] = False,
    json: Json = False,
) -> None:
    """Take over what a run changed into your work tree: all of it, or nothing when it conflicts."""
    from contexten.cli.absent import known
    from contexten.cli.applying import take_over, work_tree
    from contexten.cli.connect import connected

    with connected() as connection, known(connection, "run", run):
        found = connection.client.get_agent_run_diff(run)
        folder = work_tree(connection, run, repo)
    take_over(found, folder, check=check, branch=branch, json=json)


@app.command(epilog='Example: contexten runs search "refund policy"')
def search(
    text: Annotated[str, typer.Argument(help="Words to find in prompts, results and logs.", metavar="TEXT")],
    *,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Find runs by what was asked, answered or logged; newest first."""
    from contexten.cli.connect import connected

    with connected() as connection:
        found = connection.client.search(text, limit=limit)
    if json:
        emit(found)
        return
    rows = [(hit.run.id, hit.run.status, hit.where, hit.snippet) for hit in found.items]
    if not rows:
        note(f"Nothing contains {text!r}.")
        raise typer.Exit
    table(("RUN", "STATUS", "IN", "TEXT"), rows)


@app.command(epilog="Example: contexten runs delete 3 4")
def delete(
    runs: Annotated[list[int], typer.Argument(help="Numbers of runs that have ended.", metavar="RUN...", min=1)],
    *,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete runs with their logs and copies of the repository, for good. One that goes on must be cancelled first."""
    from contexten.cli.connect import connected
    from contexten.cli.deletion import delete_runs, named

    with connected() as connection:
        delete_runs(connection, named(connection, runs), yes=yes, json=json)


@app.command(epilog="Example: contexten runs prune --older-than 30d --dry-run")
def prune(
    *,
    older_than: Annotated[
        str, typer.Option(help="Age since the run ended: 30d, 12h, 90min or 2w.", metavar="AGE", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show which runs that would be.")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete runs that ended long ago, for good."""
    from contexten.cli.connect import connected
    from contexten.cli.deletion import delete_runs, ended_before, moment_before_now, preview

    before = moment_before_now(older_than)
    with connected() as connection:
        found = ended_before(connection, before)
        if dry_run or not found:
            preview(found, json=json)
        else:
            delete_runs(connection, found, yes=yes, json=json)
