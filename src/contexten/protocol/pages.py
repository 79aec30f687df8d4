"""Pages: the one shape in which the API lists things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from contexten.protocol.model import Model

T = TypeVar("T")

MAX_PAGE = 100


class Page(Model, Generic[T]):
    """One page of a list, newest first unless said otherwise."""

    items: list[T]
    total: int
    """Number of things in the whole list."""
    page: int
    """Number of this page, from 1."""
    size: int
    """Largest number of things on a page."""
    pages: int
    """Number of pages, at least 1."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is wanted: `limit` things after the first `skip`."""

    skip: int = 0
    limit: int = MAX_PAGE

    def page_of(self, items: list[T], total: int) -> Page[T]:
        """The page that shows `items` as this part of a list of `total` things."""
        return Page[T](items=items, total=total, page=self.number, size=self.limit, pages=self.count(total))

    @property
    def number(self) -> int:
        """Number of the page, from 1, that begins at `skip` or contains it."""
        return self.skip // self.limit + 1

    def count(self, total: int) -> int:
        """Number of pages that `total` things make, at least 1."""
        return max(1, -(-total // self.limit))
