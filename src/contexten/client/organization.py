"""Which organization a request is about, when the caller does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.client.address import parse_org_id
from contexten.errors import UsageError

if TYPE_CHECKING:
    from contexten.protocol import Organization, Page


def wanted(org_id: int | str | None, own: int | None) -> int | None:
    """The organization that the caller named, else the client's own."""
    return own if org_id is None else parse_org_id(org_id)


def only_one(page: Page[Organization]) -> int:
    """The one organization that a token reaches.

    Raises:
        UsageError: it reaches none, or several.
    """
    if len(page.items) == 1:
        return page.items[0].id
    known = ", ".join(f"{item.id} ({item.name})" for item in page.items) or "none"
    raise UsageError(
        f"The token belongs to {len(page.items)} organizations: {known}. Pass org_id or set CODEGEN_ORG_ID."
    )
