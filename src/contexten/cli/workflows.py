"""`contexten workflows`: graphs of tasks: run, watch, approve, retry, cancel, delete, check and draw them."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from contexten._plain import one_line
from contexten.cli.output import emit, note, paged, say, table
from contexten.cli.words import Engine, Json, Limit, Model, NoFollow, Skip, Yes, application

app = application("Run graphs of tasks that survive restarts.", "contexten workflows run onboarding")

WorkflowId = Annotated[
    int, typer.Argument(help="Number of the workflow, as `list` shows it.", metavar="WORKFLOW", min=1)
]
Source = Annotated[
    str,
    typer.Argument(help="A JSON or TOML file, `-` for standard input, or a template's name.", metavar="FILE|TEMPLATE"),
]
TaskName = Annotated[str, typer.Argument(help="Id of the task.", metavar="TASK")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Text for an input; `name=@file` reads it from a file.", metavar="NAME=TEXT"),
]


@app.command(epilog='Example: contexten workflows run bug_fix --set bug="Refunds are paid twice"')
def run(  # noqa: PLR0913 (an option is an argument)
    source: Source,
    *,
    set_: Set = None,
    repo: Annotated[
        str | None, typer.Option(help="Folder or git address to work on; registered when not known.", metavar="PATH")
    ] = None,
    engine: Engine = None,
    model: Model = None,
    no_follow: NoFollow = False,
    json: Json = False,
) -> None:
    """Start a workflow and follow it. It goes on by itself, through restarts of the server too.

    --engine, --model and --repo are for the tasks that name none.
    """
    from contexten.cli.connect import connected
    from contexten.cli.place import place_named
    from contexten.cli.workflow_files import given_inputs, workflow_from
    from contexten.cli.workflow_follow import follow_workflow
    from contexten.workflows.definition import check_inputs, with_defaults, with_inputs

    definition = with_inputs(workflow_from(source), given_inputs(set_ or []))
    check_inputs(definition)
    with connected(start=not no_follow, patient=True) as connection:
        named = place_named(connection, repo)
        definition = with_defaults(definition, engine=engine, model=model, repo_id=named.id if named else None)
        started = connection.client.create_workflow(definition)
        if not no_follow:
            raise typer.Exit(follow_workflow(connection, started, json=json))
        if json:
            emit(started)
        else:
            say(f"  workflow {started.id} · {one_line(started.name)}")
            say(f"  follow it: contexten workflows follow {started.id}")


@app.command("list", epilog="Example: contexten workflows list --limit 5")
def list_(*, limit: Limit = 20, skip: Skip = 0, json: Json = False) -> None:
    """List workflows, newest first."""
    from contexten.cli.connect import connected
    from contexten.cli.live import age

    with connected() as connection:
        page = connection.client.list_workflows(skip=skip, limit=limit)
    if json:
        emit(page)
        return
    rows = [
        (flow.id, flow.status, age(flow.created_at), f"{flow.summary.completed}/{flow.summary.total}", flow.name)
        for flow in page.items
    ]
    heads = ("WORKFLOW", "STATUS", "AGE", "DONE", "NAME")
    first = "Start one: contexten workflows run onboarding"
    paged("workflows", heads, rows, skip=skip, total=page.total, first=first)


@app.command(epilog="Example: contexten workflows show 3")
def show(workflow: WorkflowId, *, json: Json = False) -> None:
    """Show a workflow with its tasks and the run of each. With --json also what the tasks said."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected
    from contexten.cli.workflow_follow import show_workflow

    with connected() as connection, known(connection, "workflow", workflow):
        found = connection.client.get_workflow(workflow, results=json)
    if json:
        emit(found)
    else:
        show_workflow(found)


@app.command(epilog="Example: contexten workflows follow 3")
def follow(workflow: WorkflowId, *, json: Json = False) -> None:
    """Follow a workflow until it ends. With --json it is written when it has."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected
    from contexten.cli.workflow_follow import follow_workflow

    with connected() as connection, known(connection, "workflow", workflow):
        found = connection.client.get_workflow(workflow)
        raise typer.Exit(follow_workflow(connection, found, json=json))


@app.command(epilog="Example: contexten workflows cancel 3")
def cancel(workflow: WorkflowId, *, json: Json = False) -> None:
    """Cancel a workflow and its runs."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected
    from contexten.errors import ContextenError

    with connected() as connection, known(connection, "workflow", workflow):
        ended = connection.client.cancel_workflow(workflow)
    if json:
        emit(ended)
    if str(ended.status) != "CANCELLED":
        raise ContextenError(f"workflow {workflow} had ended already: {str(ended.status).lower()}")
    if not json:
        say(f"workflow {workflow} cancelled. Go on with it: contexten workflows retry {workflow}")


@app.command(epilog="Example: contexten workflows approve 3 deploy")
def approve(
    workflow: WorkflowId,
    task: TaskName,
    *,
    reject: Annotated[bool, typer.Option("--reject", help="Skip it instead, and what depends on it.")] = False,
    json: Json = False,
) -> None:
    """Let a task begin that waits for approval."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected

    with connected() as connection, known(connection, "workflow", workflow):
        found = connection.client.approve_workflow_task(workflow, task, approved=not reject)
    if json:
        emit(found)
    else:
        say(f"workflow {workflow}: {one_line(task)} {'rejected' if reject else 'approved'}")


@app.command(epilog="Example: contexten workflows retry 3 test")
def retry(
    workflow: WorkflowId,
    task: Annotated[
        str | None, typer.Argument(help="Task to begin at; everything that was not done when absent.", metavar="[TASK]")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Do a task again and everything that depends on it. What was done before it is not done again."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected

    with connected(start=False) as connection, known(connection, "workflow", workflow):
        found = connection.client.retry_workflow(workflow, task)
    if json:
        emit(found)
    else:
        say(f"workflow {workflow} goes on. Follow it: contexten workflows follow {workflow}")


@app.command(epilog="Example: contexten workflows delete 3")
def delete(workflow: WorkflowId, *, yes: Yes = False, json: Json = False) -> None:
    """Delete a workflow that has ended, for good. Its runs stay: contexten runs delete."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected
    from contexten.cli.consent import agreed

    with connected() as connection, known(connection, "workflow", workflow):
        found = connection.client.get_workflow(workflow)
        if not yes and not agreed(f"Delete workflow {workflow} ({one_line(found.name)})?", "Deleting", json=json):
            note("Nothing was deleted.")
            raise typer.Exit(1)
        gone = connection.client.delete_workflow(workflow)
    if json:
        emit(gone)
    else:
        say(f"workflow {workflow} deleted")


@app.command(epilog="Example: contexten workflows validate release.toml")
def validate(source: Source, *, json: Json = False) -> None:
    """Check a workflow without running it."""
    from contexten.cli.output import counted
    from contexten.cli.workflow_files import workflow_from

    definition = workflow_from(source)
    needed = [name for name, text in definition.inputs.items() if text is None]
    if json:
        emit({"valid": True, "id": definition.id, "tasks": len(definition.tasks), "inputs_needed": needed})
        return
    say(f"{one_line(definition.name)}: {counted(len(definition.tasks), 'task')}, nothing wrong")
    for name in needed:
        say(f"  needs --set {name}=…")


@app.command(epilog="Example: contexten workflows templates bug_fix > mine.json")
def templates(
    name: Annotated[str | None, typer.Argument(help="Write this one as JSON.", metavar="[NAME]")] = None,
    *,
    json: Json = False,
) -> None:
    """List the templates, or write one as a file to begin with."""
    from contexten.workflows.templates import template, template_names

    if name is not None:
        emit(template(name))
        return
    found = [template(each) for each in template_names()]
    if json:
        emit(found)
        return
    rows = [(each.id, len(each.tasks), " ".join(each.inputs) or "-", each.description) for each in found]
    table(("TEMPLATE", "TASKS", "INPUTS", "WHAT IT DOES"), rows)


@app.command(epilog="Example: contexten workflows graph feature_development --format mermaid")
def graph(
    source: Source,
    *,
    form: Annotated[Literal["text", "mermaid"], typer.Option("--format", help="How it is drawn.")] = "text",
    json: Json = False,
) -> None:
    """Draw a workflow's tasks and what they wait for."""
    from contexten.cli.workflow_files import workflow_from
    from contexten.workflows.drawing import as_mermaid, as_text

    definition = workflow_from(source)
    if json:
        emit({"tasks": {task.id: list(task.dependencies) for task in definition.tasks}})
        return
    for line in (as_text if form == "text" else as_mermaid)(definition):
        say(line)
