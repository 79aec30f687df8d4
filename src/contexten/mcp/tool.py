"""What a tool is: a name, the arguments that it takes, and the work that it does with what the caller may reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contexten.mcp.access import Access


class Arguments(BaseModel):
    """What a tool is given. The docstring of each is what the caller is told about the tool.

    Arguments that a tool does not have are let pass: other programs' servers take more.
    """

    model_config = ConfigDict(extra="ignore")


class OrganizationArguments(Arguments):
    """Arguments of a tool that is about one organization."""

    org_id: int | None = Field(None, ge=1, description="Organization, when it is not your own.")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool."""

    access: Access
    progress: Callable[[str], Awaitable[None]]
    """Tells the caller how far the work is, in one line."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a caller can ask for."""

    name: str
    arguments: type[Arguments]
    work: Callable[[Call, Any], Awaitable[str]]
    """Gives the answer."""
    reads: bool = True
    """Whether it changes nothing."""
    destroys: bool = False
    """Whether it ends or removes something."""

    @property
    def description(self) -> str:
        """What it does."""
        return " ".join((self.arguments.__doc__ or "").split())

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of its arguments."""
        schema = self.arguments.model_json_schema()
        schema.pop("title", None)
        schema.pop("description", None)
        for each in schema.get("properties", {}).values():
            each.pop("title", None)
        return schema
