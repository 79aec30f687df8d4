"""The settings page: who is signed in, and, where the pages have a process of their own, with which token and server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import reflex as rx

from contexten.client import AsyncCodegenClient
from contexten.dashboard import session
from contexten.dashboard.envfile import ADDRESS, ORGANIZATION, TOKEN, objection, write_settings
from contexten.dashboard.page import Page
from contexten.dashboard.visit import Visit
from contexten.errors import ContextenError
from contexten.settings import ClientSettings

_TRIAL_SECONDS = 10.0


class Preferences(Page, rx.State):
    """What the settings page shows. The token is only ever on its way: no field has it."""

    organization: rx.Field[str] = rx.field("")
    address: rx.Field[str] = rx.field("")
    has_token: rx.Field[bool] = rx.field(default=False)
    """Whether there is a token now."""
    wrong: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """What is wrong, by the name of the setting."""
    overruled: rx.Field[list[str]] = rx.field(default_factory=list)
    """Settings that the shell has, which win over the file."""
    folder: rx.Field[str] = rx.field("")
    busy: rx.Field[bool] = rx.field(default=False)
    told: rx.Field[str] = rx.field("")

    @rx.event
    def load(self) -> None:
        """Show the settings as they are."""
        self.wrong, self.told, self.problem, self.loaded = {}, "", "", True
        if not session.standalone(self.router_data):
            return
        settings = ClientSettings()
        self.organization = str(settings.org_id or "")
        self.address = settings.base_url or ""
        self.has_token = settings.api_token is not None
        self.overruled = [name for name in (TOKEN, ORGANIZATION, ADDRESS) if os.environ.get(name)]
        self.folder = str(Path.cwd())

    @rx.event
    def check(self, name: str, value: str) -> None:
        """Say what is wrong with a setting while it is typed."""
        self.told = ""
        self.wrong = {**self.wrong, name: objection(name, value.strip())} if name in _NAMES else self.wrong

    @rx.event
    async def save(self, form: dict[str, Any]) -> Any:
        """Try the settings, then write them to `.env`; a token that is left empty stays as it is."""
        if not session.standalone(self.router_data) or self.busy:
            return
        given = {name: str(form.get(name, "")).strip() for name in _NAMES}
        self.wrong = {name: why for name, value in given.items() if (why := objection(name, value))}
        self.told = self.problem = ""
        if self.wrong:
            return
        self.busy = True
        yield
        try:
            who = await _tried(given)
            path = write_settings(Path.cwd(), {name: value for name, value in given.items() if value or name != TOKEN})
        except ContextenError as error:
            self.problem = str(error)
        else:
            self.told = f"Saved in {path}. Signed in as {who}."
            self.has_token = self.has_token or bool(given[TOKEN])
            yield [rx.set_value("token", ""), Visit.forget]
        self.busy = False


_NAMES = (TOKEN, ORGANIZATION, ADDRESS)


async def _tried(given: dict[str, str]) -> str:
    """Who one is with these settings.

    Raises:
        ContextenError: the server does not take them, or there is none.
    """
    settings = ClientSettings()
    async with AsyncCodegenClient(
        token=given[TOKEN] or settings.api_token,
        org_id=given[ORGANIZATION] or None,
        base_url=given[ADDRESS] or None,
        timeout=_TRIAL_SECONDS,
        max_retries=0,
    ) as client:
        me = await client.me()
        await client.list_agent_runs(limit=1)
        return me.full_name or me.github_username
