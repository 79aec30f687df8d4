"""The box that starts a run: what was asked, and what the server says against it beside the field it is about."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import reflex as rx

from contexten.dashboard.choices import Choices
from contexten.dashboard.page import Page
from contexten.errors import ContextenError, InvalidInputError, UsageError

if TYPE_CHECKING:
    from contexten.dashboard.live import News

FIELDS = ("prompt", "engine", "model", "repo_id")


class Starting(Page, rx.State):
    """A run that is about to be started."""

    busy: rx.Field[bool] = rx.field(default=False)
    engine: rx.Field[str] = rx.field("")
    engine_note: rx.Field[str] = rx.field("")
    """What the chosen engine needs before it can work."""
    wrong: rx.Field[dict[str, str]] = rx.field(default_factory=dict)
    """What is wrong, by the name of the field."""

    _sent: dict[str, Any] = rx.field(default_factory=dict, is_var=False)
    _key: str = ""

    @rx.event
    def begin(self) -> None:
        """An empty form: what was wrong with an earlier one is no longer said."""
        self.busy, self.engine, self.engine_note, self.wrong, self.problem = False, "", "", {}, ""

    @rx.event
    async def choose_engine(self, name: str) -> None:
        """Take an engine, and say what it needs."""
        choices = await self.get_state(Choices)
        self.engine = name
        known = {engine.name: engine for engine in choices.engines}
        self.engine_note = known[name].detail if name in known and not known[name].ready else ""
        self.wrong = {field: why for field, why in self.wrong.items() if field != "engine"}

    @rx.event
    async def start(self, form: dict[str, Any]) -> Any:
        """Start the run that the form describes, and go to it."""
        if self.busy:
            return
        wanted = _wanted(form)
        if not wanted["prompt"]:
            self.wrong = {"prompt": "What is to be done? The prompt is empty."}
            yield rx.set_focus("prompt")
            return
        self.busy, self.wrong = True, {}
        yield
        run = await self._ask(lambda client: client.create_agent_run(**wanted, idempotency_key=self._key_for(wanted)))
        self.busy = False
        if run is not None:
            self._sent = {}
            yield rx.redirect(f"/runs/{run.id}")

    def _key_for(self, wanted: dict[str, Any]) -> str:
        """The same key while the same is asked for: whoever asks again after a lost answer gets the same run."""
        if wanted != self._sent:
            self._sent, self._key = wanted, secrets.token_hex(16)
        return self._key

    def _told(self, error: ContextenError) -> str:
        self.wrong = wrong_fields(error)
        return "" if self.wrong else super()._told(error)

    async def _hear(self, news: News) -> None:
        """Nothing that happens elsewhere matters here."""


def wrong_fields(error: ContextenError) -> dict[str, str]:
    """What an error says of each field of the form; empty when it is about none of them."""
    if isinstance(error, InvalidInputError) and isinstance(error.body, dict):
        details = error.body.get("detail")
        problems = [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []
        found = {str(_last(item.get("loc"))): _sentence(str(item.get("msg", ""))) for item in problems}
        return {field: why for field, why in found.items() if field in FIELDS}
    return {"prompt": str(error)} if isinstance(error, UsageError) else {}


def _wanted(form: dict[str, Any]) -> dict[str, Any]:
    """What the form asks for: fields that were left alone are not sent."""
    named = {name: str(form.get(name, "")).strip() for name in ("engine", "model")}
    repo = str(form.get("repo_id", ""))
    return {
        "prompt": str(form.get("prompt", "")).strip(),
        **{name: value for name, value in named.items() if value},
        **({"repo_id": int(repo)} if repo.isdigit() else {}),
    }


def _last(place: Any) -> Any:
    return place[-1] if isinstance(place, list) and place else place


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else "This cannot be used."
