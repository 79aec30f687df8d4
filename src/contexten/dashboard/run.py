"""One run: its log as it is written, what it changed, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from contexten._plain import clean
from contexten.dashboard.cards import Card, card_of
from contexten.dashboard.choices import Choices
from contexten.dashboard.entries import Row
from contexten.dashboard.log import Window
from contexten.dashboard.looking import number_in
from contexten.dashboard.page import OneThing
from contexten.dashboard.patches import Patch, patch, patches, sections
from contexten.dashboard.visit import listeners
from contexten.dashboard.words import changed, tokens
from contexten.errors import StatusError
from contexten.protocol import AgentRunDiff

if TYPE_CHECKING:
    from contexten.client import AsyncCodegenClient
    from contexten.dashboard.live import News
    from contexten.protocol import AgentRun

_PROMPT_PREVIEW = 400
_LONGEST_PROMPT = 200_000
NOTHING = Card(0, "", "idle", ended=False, prompt="", worker="", repository="", created="", started="", took="", figures="", address="")  # fmt: skip


class Run(OneThing, rx.State):
    """What the page of a run shows."""

    card: rx.Field[Card] = rx.field(default_factory=lambda: NOTHING)
    prompt: rx.Field[str] = rx.field("")
    whole_prompt: rx.Field[str] = rx.field("")
    """The prompt when it is longer than what is shown, and unfolded."""
    prompt_folds: rx.Field[bool] = rx.field(default=False)
    tokens: rx.Field[str] = rx.field("")
    rows: rx.Field[list[Row]] = rx.field(default_factory=list)
    first: rx.Field[int] = rx.field(0)
    """How many entries there are before those that are shown."""
    behind: rx.Field[int] = rx.field(0)
    """How many entries there are after those that are shown."""
    following: rx.Field[bool] = rx.field(default=True)
    files: rx.Field[list[Patch]] = rx.field(default_factory=list)
    changed: rx.Field[str] = rx.field("")
    omitted: rx.Field[bool] = rx.field(default=False)
    tab: rx.Field[str] = rx.field("log")
    busy: rx.Field[bool] = rx.field(default=False)
    wrong: rx.Field[str] = rx.field("")
    """What is wrong with the next prompt."""
    title: rx.Field[str] = rx.field("Run")
    """What the tab is called: many are open beside each other."""

    _run_id: int = 0
    _total: int = 0
    _names: dict[int, str] = rx.field(default_factory=dict, is_var=False)
    _prompt: str = ""
    _diff: AgentRunDiff | None = None

    @rx.event
    async def load(self) -> None:
        """Show the run that the address names."""
        run_id = number_in(self.router.url.path.rpartition("/")[2])
        if run_id != self._run_id or self.absent:
            self.reset()
        self._run_id = run_id
        self.asking, self.wrong, self.announced, self.following = False, "", "", True
        choices = await self.get_state(Choices)
        await choices._load()  # noqa: SLF001 - what is public is an event of the browser
        await self._renew()

    @rx.event
    async def toggle(self, position: int) -> None:
        """Unfold an entry of the log, or fold it."""
        await self._move(lambda window, client: window.toggle(client, position))

    @rx.event
    async def earlier(self) -> None:
        """Show entries before the first."""
        self.following = False
        await self._move(lambda window, client: window.earlier(client))

    @rx.event
    async def later(self) -> None:
        """Show entries after the last."""
        await self._move(lambda window, client: window.later(client))

    @rx.event
    def hold(self) -> None:
        """Stay here: the reader has scrolled away from the end."""
        self.following = False

    @rx.event
    async def follow(self) -> None:
        """Show the end of the log, and stay there."""
        if not self.following or self.behind:
            self.following = True
            await self._move(lambda window, client: window.to_end(client))

    @rx.event
    def show(self, tab: str) -> None:
        """Show the log, or the changes."""
        self.tab = "changes" if tab == "changes" else "log"

    @rx.event
    def unfold_prompt(self) -> None:
        """Show all of the prompt, or its beginning again."""
        self.whole_prompt = "" if self.whole_prompt else self._prompt[:_LONGEST_PROMPT]

    @rx.event
    def toggle_file(self, number: int) -> None:
        """Show what happened to a file, or hide it."""
        if self._diff is None or not 0 <= number < len(self.files):
            return
        lines = sections(self._diff)[number]
        now = patch(number, self._diff.files[number], lines, is_open=not self.files[number].is_open)
        self.files = [now if file.number == number else file for file in self.files]

    @rx.event
    async def resume(self, form: dict[str, Any]) -> Any:
        """Say something more to the run."""
        prompt = str(form.get("next", "")).strip()
        if not prompt:
            self.wrong = "What next? The prompt is empty."
            yield rx.set_focus("next")
            return
        if self.busy:
            return
        self.busy, self.wrong = True, ""
        yield
        run = await self._ask(lambda client: client.resume_agent_run(self._run_id, prompt))
        self.busy = False
        if run is not None:
            yield rx.set_value("next", "")
            self._show(run)
            self.tab, self.following = "log", True
            await self._move(lambda window, client: window.to_end(client))

    @rx.event
    async def cancel(self) -> None:
        """Stop the run."""
        if (run := await self._ask(lambda client: client.cancel_agent_run(self._run_id))) is not None:
            self._show(run)

    @rx.event
    async def delete(self) -> Any:
        """Delete the run, and go back to the list."""
        return await self._deleted(lambda client: client.delete_agent_run(self._run_id), "/")

    async def _renew(self) -> None:
        run = await self._ask(lambda client: client.get_agent_run(self._run_id))
        if run is None:
            return
        self.loaded = True
        choices = await self.get_state(Choices)
        self._names = choices._names  # noqa: SLF001 - what is public is an event of the browser
        self._show(run)
        if self.following:
            await self._move(lambda window, client: window.to_end(client))
        if self.card.ended:
            await self._compare()

    def _show(self, run: AgentRun) -> None:
        card = card_of(run, self._names, self.router.url.origin)
        if self.card.id == card.id and self.card.word != card.word:
            self.announced = f"Run {card.id} is {card.word}."
        self.card, self.tokens, self.title = card, tokens(run), f"Run {card.id} {card.word} · Contexten"
        self._prompt = clean(run.get("prompt") or "").strip()
        self.prompt_folds = len(self._prompt) > _PROMPT_PREVIEW
        self.prompt = self._prompt[:_PROMPT_PREVIEW].rstrip() + ("…" if self.prompt_folds else "")

    async def _compare(self) -> None:
        diff = await self._ask(_changes_of(self._run_id))
        if diff is None or not diff.files:
            self._diff, self.files, self.changed, self.omitted = None, [], "", False
            self.tab = "log"
        elif self._diff is None or diff.patch != self._diff.patch or diff.turn != self._diff.turn:
            self._diff, self.files = diff, patches(diff)
            self.changed, self.omitted = changed(diff), diff.truncated

    async def _move(self, move: Any) -> None:
        window = Window(self._run_id, self.rows, self._total)

        async def moved(client: AsyncCodegenClient) -> bool:
            await move(window, client)
            return True

        if await self._ask(moved):
            self._take(window)

    def _take(self, window: Window) -> None:
        self.rows, self._total = window.rows, window.total
        self.first, self.behind = window.first, max(0, window.total - window.end)

    async def _hear(self, news: News) -> None:
        if self.absent:
            return
        if events := news.logs.get(self._run_id):
            window = Window(self._run_id, self.rows, self._total)
            if window.take(events, follow=self.following):
                self._take(window)
            else:
                await self._move(lambda window, client: window.to_end(client))
        if self._run_id in news.runs or news.missed:
            await self._renew()


def _changes_of(run_id: int) -> Any:
    async def changes(client: AsyncCodegenClient) -> AgentRunDiff | None:
        try:
            return await client.get_agent_run_diff(run_id)
        except StatusError:  # a server that keeps no changes
            return None

    return changes


listeners["/runs/[run_id]"] = Run
