"""Generating for an application that has a registry of extensions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from contexten.autogenlib.request import CallerContext

if TYPE_CHECKING:
    from contexten.autogenlib.generator import AutogenClient


@dataclass(frozen=True, slots=True)
class ContextenRequest:
    """What an application wants generated."""

    module_path: str
    function_name: str
    file_path: str = ""
    """File that asks."""
    usage_example: str = ""
    """Expressions with the name as it will be used, one a line."""


@dataclass(frozen=True, slots=True)
class ContextenResponse:
    """What came of it."""

    generated_code: str
    metadata: dict[str, Any] = field(default_factory=dict)
    usage_info: dict[str, Any] = field(default_factory=dict)


class Application(Protocol):
    """What can be told of an extension."""

    def register_extension(self, name: str, extension: object) -> object:
        """Take an extension in."""
        ...


class ContextenBridge:
    """The extension `autogenlib` of an application.

    Args:
        autogen_client: what asks.
    """

    def __init__(self, autogen_client: AutogenClient) -> None:
        self.autogen_client = autogen_client

    async def handle_generation_request(self, request: ContextenRequest) -> ContextenResponse:
        """Generate what a request wants; any object with its attributes will do.

        Raises:
            ContextenError: there is no code.
        """
        caller = CallerContext(getattr(request, "file_path", ""), getattr(request, "usage_example", ""))
        made = await self.autogen_client.generate_code(request.module_path, request.function_name, caller)
        return ContextenResponse(made.code, made.metadata, made.usage_info)

    def register_with_contexten(self, app: Application) -> None:
        """Tell an application of this extension."""
        app.register_extension("autogenlib", self)
