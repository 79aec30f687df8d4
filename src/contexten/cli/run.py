"""`contexten run`: a prompt goes in, its log is shown as it comes, the answer ends it."""

from __future__ import annotations

from typing import Annotated

import typer

from contexten.cli.output import emit, note, say
from contexten.cli.words import Engine, Json, Model, NoFollow, Prompt, application

app = application()


@app.command(epilog='Example: contexten run "Who calls refund_order, and is it retried?" --repo ~/src/shop')
def run(  # noqa: PLR0913 (an option is an argument)
    prompt: Prompt,
    *,
    repo: Annotated[
        str | None, typer.Option(help="Folder or git address to work on; registered when not known.", metavar="PATH")
    ] = None,
    engine: Engine = None,
    model: Model = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds that the run may take.", metavar="SECONDS")] = None,
    no_follow: NoFollow = False,
    json: Json = False,
) -> None:
    """Run a prompt and follow it live.

    Uses the server that is up, or one inside this process when none is.
    """
    from contexten.cli.prompt import read_prompt

    text = read_prompt(prompt, "contexten run")
    from contexten.cli.connect import connected
    from contexten.cli.follow import beginning, follow
    from contexten.cli.live import heading
    from contexten.cli.place import note_other_place, place_named, place_of

    with beginning('contexten run "…"') as begun, connected(start=not no_follow, patient=True) as connection:
        named = place_named(connection, repo)
        task = connection.client.run(
            text, repo_id=named.id if named else None, engine=engine, model=model, timeout=timeout
        )
        begun.set()
        place = place_of(connection, task.run)
        note_other_place(connection, named, place)
        if model and not task.run.get("model"):
            note(f"The engine {task.run.get('engine')} works without a model, so --model {model} changes nothing.")
        if not no_follow:
            raise typer.Exit(follow(connection, task, place=place, json=json))
        if json:
            emit(task.run)
        else:
            say(heading(task.run, place))
            say(f"  follow it: contexten runs logs {task.id} --follow")
