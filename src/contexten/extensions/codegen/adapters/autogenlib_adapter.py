"""`AutogenlibAdapter`: generated code under one configuration, for prompts and for imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.autogenlib import CallerContext, LegacyAdapter
from contexten.autogenlib.finder import finder
from contexten.extensions.codegen.config import CodegenAutogenConfig

if TYPE_CHECKING:
    from types import ModuleType

    from contexten.autogenlib import AutogenClient, GeneratedCode, GenerationRequest


class AutogenlibAdapter:
    """Generated code.

    Args:
        config: what may be said about it.
        client: what generates; one of the configuration when absent.
    """

    def __init__(self, config: CodegenAutogenConfig | None = None, client: AutogenClient | None = None) -> None:
        self.config = config or CodegenAutogenConfig()
        self.client = client or self.config.client()
        """What generates."""

    async def initialize(self) -> None:
        """Let imports of generated code, in this process, follow the configuration."""
        finder.configure(self.config.generation)
        finder.act_for(self.config.org_id, self.config.token)
        if (explained := self.config.enable_exception_handler) is not None:
            LegacyAdapter().set_exception_handler(explained)

    def install(self, *, replace_loaded: bool = False) -> ModuleType:
        """Put a module `autogenlib` in place, for programs that are written for the package of that name.

        Raises:
            UsageError: another package of that name is imported already, and `replace_loaded` is false.
        """
        return LegacyAdapter().install(replace_loaded=replace_loaded)

    async def generate_code(
        self, module_path: str, function_name: str, caller_context: CallerContext | None = None
    ) -> GeneratedCode:
        """Code for a name of a module; see `AutogenClient.generate_code`."""
        return await self.client.generate_code(module_path, function_name, caller_context)

    async def generate(self, request: GenerationRequest, prompt: str | None = None) -> GeneratedCode:
        """Code for a request; see `AutogenClient.agenerate`."""
        return await self.client.agenerate(request, prompt=prompt)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.client.aclose()
