"""The list of runs: which are shown, and what can be done with each."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import reflex as rx

from contexten.dashboard.cards import Card, card_of
from contexten.dashboard.choices import Choices
from contexten.dashboard.looking import SIZE, Looking
from contexten.dashboard.page import Page
from contexten.dashboard.visit import listeners
from contexten.protocol import RunStatus

if TYPE_CHECKING:
    from contexten.client import AsyncCodegenClient
    from contexten.dashboard.live import News
    from contexten.protocol import AgentRun

_MOST_HITS = 1_000
"""Hits of a search that are looked through for those of a status or an engine."""


class Runs(Page, rx.State):
    """What the page of all runs shows."""

    cards: rx.Field[list[Card]] = rx.field(default_factory=list)
    status: rx.Field[str] = rx.field("")
    engine: rx.Field[str] = rx.field("")
    text: rx.Field[str] = rx.field("")
    chosen: rx.Field[bool] = rx.field(default=False)
    range_words: rx.Field[str] = rx.field("")
    """Which part of the list is shown, such as `21 to 40 of 340`."""
    newer: rx.Field[str] = rx.field("")
    """Address of the page before; empty on the first."""
    older: rx.Field[str] = rx.field("")
    """Address of the page after; empty on the last."""
    first_page: rx.Field[bool] = rx.field(default=True)
    asking: rx.Field[int] = rx.field(0)
    """The run of which it is asked whether to delete it; 0 for none."""
    told: rx.Field[str] = rx.field("")
    """What was just done, for those who hear the page."""

    _looking: Looking = Looking()

    @rx.event
    async def load(self) -> None:
        """Show what the address asks for."""
        self._looking = looking = Looking.read(self.router.url.query_parameters)
        self.status, self.engine, self.text = looking.status, looking.engine, looking.text
        self.chosen, self.first_page = looking.is_chosen, looking.page == 1
        self.asking, self.told = 0, ""
        await self._refresh()

    @rx.event
    def look_for_status(self, status: str) -> Any:
        """Show runs of a group of statuses; of all when it is empty."""
        return rx.redirect(self._looking.address(status=status))

    @rx.event
    def look_for_engine(self, engine: str) -> Any:
        """Show runs of an engine; of all when it is empty."""
        return rx.redirect(self._looking.address(engine=engine))

    @rx.event
    def look_for_text(self, text: str) -> Any:
        """Show runs that contain words."""
        return rx.redirect(self._looking.address(text=text.strip()), replace=True)

    @rx.event
    async def cancel(self, run_id: int) -> None:
        """Stop a run."""
        if (run := await self._ask(lambda client: client.cancel_agent_run(run_id))) is not None:
            self.told = f"Run {run_id} is {card_of(run, {}, '').word}."
            await self._refresh()

    @rx.event
    def ask_to_delete(self, run_id: int) -> None:
        """Ask whether a run is to be deleted; 0 takes the question back."""
        self.asking = run_id

    @rx.event
    async def delete(self, run_id: int) -> None:
        """Delete a run."""
        self.asking = 0
        if await self._ask(lambda client: client.delete_agent_run(run_id)) is not None:
            self.told = f"Run {run_id} is deleted."
            await self._refresh()

    async def _refresh(self) -> None:
        choices = await self.get_state(Choices)
        await choices._load()  # noqa: SLF001 - what is public is an event of the browser
        found = await self._ask(self._found)
        if found is None:
            return
        runs, total = found
        names = choices._names  # noqa: SLF001 - see above
        self.cards = [card_of(run, names, self.router.url.origin) for run in runs[:SIZE]]
        self.loaded = True
        self._turn_pages(
            more=len(runs) > SIZE or (total is not None and total > self._looking.skip + SIZE), total=total
        )

    async def _found(self, client: AsyncCodegenClient) -> tuple[list[AgentRun], int | None]:
        """The runs of the page, perhaps one more, and how many there are in all when that is known."""
        looking = self._looking
        if looking.text:
            return await self._hits(client), None
        chosen: dict[str, Any] = {"status": looking.statuses} if looking.status else {}
        if looking.engine:
            chosen["engine"] = looking.engine
        if looking.top:
            chosen["before_id"] = looking.top + 1
        page = await client.list_agent_runs(skip=looking.skip, limit=SIZE, **chosen)
        return page.items, page.total

    async def _hits(self, client: AsyncCodegenClient) -> list[AgentRun]:
        looking, seen = self._looking, 0
        found: list[AgentRun] = []
        async with aclosing(client.iter_search(looking.text)) as hits:
            async for hit in hits:
                seen += 1
                fits_status = not looking.statuses or str(RunStatus.parse(hit.run.status or "")) in looking.statuses
                if (
                    fits_status
                    and looking.engine in {"", hit.run.engine}
                    and hit.run.id not in {run.id for run in found}
                ):
                    found.append(hit.run)
                if len(found) > looking.skip + SIZE or seen >= _MOST_HITS:
                    break
        return found[looking.skip :]

    def _turn_pages(self, *, more: bool, total: int | None) -> None:
        looking = self._looking
        top = looking.top or (self.cards[0].id if self.cards else 0)
        start = looking.skip + 1
        shown = f"{start} to {start + len(self.cards) - 1}" if self.cards else ""
        self.range_words = shown if total is None or not shown else f"{shown} of {max(total, start):,}"
        self.newer = looking.address(page=looking.page - 1, top=top) if looking.page > 1 else ""
        self.older = looking.address(page=looking.page + 1, top=top) if more else ""

    async def _hear(self, news: News) -> None:
        if news.runs or news.missed:
            await self._refresh()


listeners["/index"] = Runs
