"""`contexten token`: access tokens of the organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from contexten.cli.output import emit, note, say, table
from contexten.cli.words import Json, application

if TYPE_CHECKING:
    from contexten.protocol import Token

RoleWord = Literal["admin", "member", "read-only", "read_only"]
app = application("Create, list and revoke access tokens.", "contexten token create ci")


@app.command(epilog="Example: contexten token create ci --role read-only")
def create(
    name: Annotated[str, typer.Argument(help="What the token is for.", metavar="NAME")],
    *,
    role: Annotated[RoleWord, typer.Option(case_sensitive=False, help="What the token may do.")] = "member",
    json: Json = False,
) -> None:
    """Create a token. It is shown once: standard output has nothing else."""
    from contexten.cli.connect import connected
    from contexten.protocol import Role

    with connected() as connection:
        made = connection.client.create_token(name, role=Role(role.upper().replace("-", "_")))
    if json:
        emit(made)
        return
    note(f"token {made.id} · {made.name} · {made.role} · not shown again:")
    say(made.token)


@app.command("list", epilog="Example: contexten token list")
def list_(*, json: Json = False) -> None:
    """List the tokens of the organization, without their secrets. Those that expire are sessions of the dashboard."""
    from contexten.cli.connect import connected
    from contexten.cli.live import age

    with connected() as connection:
        tokens = connection.client.list_tokens()
    if json:
        emit(tokens)
        return
    rows = [
        (
            token.id,
            token.role,
            f"{token.prefix}…",
            age(token.last_used_at) or "never",
            _state(token),
            token.name,
        )
        for token in tokens
    ]
    table(("TOKEN", "ROLE", "BEGINS", "USED", "STATE", "NAME"), rows)


@app.command(epilog="Example: contexten token revoke 4")
def revoke(
    token: Annotated[int, typer.Argument(help="Number of the token, not its secret.", metavar="TOKEN", min=1)],
    *,
    json: Json = False,
) -> None:
    """Revoke a token: requests with it are refused from now on."""
    from contexten.cli.absent import known
    from contexten.cli.connect import connected

    with connected() as connection, known(connection, "token", token):
        connection.client.revoke_token(token)
    if json:
        emit({"id": token, "revoked": True})
    else:
        say(f"token {token} revoked")


def _state(token: Token) -> str:
    if token.revoked_at:
        return "revoked"
    return f"until {token.expires_at[:10]}" if token.expires_at else "active"
