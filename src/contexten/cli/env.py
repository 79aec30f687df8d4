"""`contexten env`: the shell variables, and the sign-in file, that point the official Codegen clients at this server."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from contexten.cli.output import emit, note, say
from contexten.cli.words import Json, application

if TYPE_CHECKING:
    from contexten.client.address import Address

app = application()


@app.command(epilog='Example: eval "$(contexten env)"')
def env(
    *,
    write_cli_auth: Annotated[
        bool, typer.Option("--write-cli-auth", help="Write ~/.codegen/auth.json for the official `codegen` program.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing.")] = False,
    json: Json = False,
) -> None:
    """Print the variables that point the official Codegen clients at this server.

    With --write-cli-auth the official command-line program is signed in as well; an earlier file is kept beside it.
    """
    from contexten.cli.connect import HOLDER_SECONDS, answers, local_address

    local = local_address()
    if not answers(local.base_url, HOLDER_SECONDS):
        note(f"no server answers at {local.base_url} now. Start it: contexten up")
    if write_cli_auth:
        _sign_in(local, yes=yes)
    elif json:
        emit(variables(local))
    else:
        say("\n".join(f"export {name}={quote(value)}" for name, value in variables(local).items()))


def variables(local: Address) -> dict[str, str]:
    """Names and values that the official clients read, and those that our own does."""
    return {
        "CODEGEN_API_TOKEN": local.token.get_secret_value(),
        "CODEGEN_ORG_ID": str(local.org_id),
        "CODEGEN_BASE_URL": local.base_url,
        "CODEGEN_API_BASE_URL": local.base_url,
        "TELEMETRY_ENABLED": "false",
        "TELEMETRY_CONSENT_PROMPTED": "true",
    }


def _sign_in(local: Address, *, yes: bool) -> None:
    from contexten.cli.consent import agreed
    from contexten.cli.signin import auth_path, write_auth

    path = auth_path()
    question = (
        f"{'Replace' if path.exists() else 'Write'} {path}? "
        "The official `codegen` program then signs in with this server's token"
    )
    if not yes and not agreed(question, f"writing {path}"):
        raise typer.Exit(1)
    kept = write_auth(path, local.token.get_secret_value())
    say(f"wrote {path}{f' (the earlier one is now {kept})' if kept else ''}")
    note('The program needs this server\'s address too: eval "$(contexten env)"')
