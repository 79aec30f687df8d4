"""Pages from outside: `skip` and `limit`, or `page` and `size` (also written `per_page`), as one window."""

from typing import Annotated

from fastapi import Depends, Query

from contexten.protocol import MAX_PAGE, Window
from contexten.server.problems import invalid

_FAR = 2**53
"""Largest number that every JSON client counts exactly."""

Skip = Annotated[int | None, Query(ge=0, le=_FAR, description="How many to leave out at the start. 0 when absent.")]
Limit = Annotated[int | None, Query(ge=1, le=MAX_PAGE, description="How many to list at most. 100 when absent.")]
PageNumber = Annotated[int | None, Query(ge=1, le=2**31, description="Page, from 1; instead of `skip`.")]
Size = Annotated[int | None, Query(ge=1, le=MAX_PAGE, description="Length of a page; instead of `limit`.")]
PerPage = Annotated[int | None, Query(ge=1, le=MAX_PAGE, description="Another name of `size`.")]


def window(
    skip: Skip = None, limit: Limit = None, page: PageNumber = None, size: Size = None, per_page: PerPage = None
) -> Window:
    """The part of a list that a request asks for.

    Raises:
        Refusal: 422: both ways of paging at once, or two lengths that differ.
    """
    if skip is not None and page is not None:
        raise invalid("Give skip and limit, or page and size, not both.", "query", "page")
    lengths = {length for length in (limit, size, per_page) if length is not None}
    if len(lengths) > 1:
        raise invalid("limit, size and per_page say different lengths: give one.", "query", "limit")
    length = lengths.pop() if lengths else MAX_PAGE
    return Window(skip=(page - 1) * length if page is not None else skip or 0, limit=length)


Paged = Annotated[Window, Depends(window)]
