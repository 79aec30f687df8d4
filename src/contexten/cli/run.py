"""`contexten run`: a prompt goes in, its log is shown as it comes, the answer ends it."""

from __future__ import annotations

from typing import Annotated

import typer

from contexten.cli.output import emit, say
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
    from contexten.cli.follow import follow
    from contexten.cli.live import heading
    from contexten.cli.place import place_named, place_of

    with connected(start=not no_follow, patient=True) as connection:
        place = place_named(connection, repo)
        task = connection.client.run(
            text, repo_id=place.id if place else None, engine=engine, model=model, timeout=timeout
        )
        if not no_follow:
            raise typer.Exit(follow(connection, task, place=place_of(connection, task.run), json=json))
        if json:
            emit(task.run)
        else:
            say(heading(task.run, place_of(connection, task.run)))
            say(f"  follow it: contexten runs logs {task.id} --follow · {task.web_url}")
