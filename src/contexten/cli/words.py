"""What the commands' words have in common: how an application is made, and the options that many take."""

from __future__ import annotations

from typing import Annotated

import typer

_PAGE = 100

Json = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Limit = Annotated[int, typer.Option(help="How many to show.", min=1, max=_PAGE)]
Skip = Annotated[int, typer.Option(help="How many to leave out from the beginning.", min=0)]
RunId = Annotated[
    int, typer.Argument(help="Number of the run, as `contexten runs list` shows it.", metavar="RUN", min=1)
]
Prompt = Annotated[str, typer.Argument(help="What to do; `-` reads it from standard input.", metavar="PROMPT")]
NoFollow = Annotated[bool, typer.Option("--no-follow", help="Return at once instead of showing the log.")]
Engine = Annotated[str | None, typer.Option(help="Engine to use; the server's default when absent.", metavar="NAME")]
Model = Annotated[str | None, typer.Option(help="Model to use, as provider:name.", metavar="MODEL")]


def application(help_text: str | None = None, example: str | None = None) -> typer.Typer:
    """An application for one noun, with plain help texts that also read well in a pipe."""
    return typer.Typer(
        help=help_text,
        epilog=example and f"Example: {example}",
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
