"""What of the list of runs is looked at: the address of the page says it, so that a link, a reload and Back show the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from contexten.dashboard.words import GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE = 20
"""Runs on a page."""
_LONGEST = 200
MOST_PAGES = 10_000_000


def number_in(text: str) -> int:
    """The number that a part of an address is; 0 when it is none that could be an id."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0  # noqa: PLR2004 - below 2**63


@dataclass(frozen=True)
class Looking:
    """Which runs."""

    status: str = ""
    """One of `GROUPS`; empty for all."""
    engine: str = ""
    text: str = ""
    """Words to find."""
    page: int = 1
    top: int = 0
    """Id of the newest run when the paging began, by which pages stay where they are; 0 on the first."""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Looking:
        """What an address asks for; what it cannot mean is left out."""
        status = query.get("status", "")
        page, top = number_in(query.get("page", "")), number_in(query.get("top", ""))
        return cls(
            status=status if status in GROUPS else "",
            engine=query.get("engine", "")[:_LONGEST],
            text=query.get("q", "").strip()[:_LONGEST],
            page=min(max(1, page), MOST_PAGES),
            top=top if page > 1 else 0,
        )

    @property
    def skip(self) -> int:
        """Runs on the pages before."""
        return (self.page - 1) * SIZE

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that are looked for; none for all."""
        return GROUPS.get(self.status, ())

    @property
    def is_chosen(self) -> bool:
        """Whether only some of the runs are looked at."""
        return bool(self.status or self.engine or self.text)

    def address(self, **changes: str | int) -> str:
        """The address that shows this with other words; the first page of it, unless a page is named."""
        wanted = replace(self, **{"page": 1, "top": 0, **changes})  # type: ignore[arg-type]  # names of fields
        parts = {
            "status": wanted.status,
            "engine": wanted.engine,
            "q": wanted.text,
            "page": wanted.page if wanted.page > 1 else "",
            "top": wanted.top if wanted.page > 1 else "",
        }
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"/?{query}" if query else "/"
