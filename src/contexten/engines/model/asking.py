"""Asking a model: one request through pydantic-ai, with a bounded wait, whose failure ends the turn."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from contexten.engines.model.refusals import context_full, ending, refused_content
from contexten.engines.model.said import Said, heard
from contexten.engines.model.streaming import answer_of
from contexten.telemetry import metrics, names, tracing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic_ai.models import Model
    from pydantic_ai.tools import ToolDefinition

    from contexten.engines.model.conversation import Conversation
    from contexten.engines.model.limits import Limits
    from contexten.engines.model.tools import Tool

_FULL = 0.85
"""Share of a model's context from which on the oldest answers of tools are left out."""


class Asked:
    """A model that can be asked, with the tools that it may call.

    Args:
        model: the model, opened.
        name: how the person calls it.
        instructions: what it is told about itself.
        tools: what it may call.
        limits: how long one request may take, and how often it is sent.
    """

    def __init__(self, model: Model, name: str, instructions: str, tools: Mapping[str, Tool], limits: Limits) -> None:
        from pydantic_ai.messages import InstructionPart
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.settings import ModelSettings

        self._model = model
        self._name = name
        self._settings = ModelSettings(timeout=limits.request_seconds, max_retries=limits.retries, cache=True)
        self._parameters = ModelRequestParameters(
            function_tools=[_definition(tool) for tool in tools.values()],
            instruction_parts=[InstructionPart(instructions)],
        )

    async def ask(self, conversation: Conversation, show: Callable[[str], None]) -> Said:
        """What the model says next. When the conversation is too long for it, older answers of tools are left out.

        Args:
            conversation: what was said so far.
            show: given the text of the answer while it comes.

        Raises:
            Ended: it cannot be asked, or refuses to answer.
        """
        from pydantic_ai.exceptions import ModelContextWindowExceededError

        while True:
            try:
                said = await self._request(conversation, show)
            except ModelContextWindowExceededError as error:
                if not conversation.shorten():
                    raise context_full(self._name) from error
            except Exception as error:  # noqa: BLE001 - what a provider answers decides what is raised here
                raise ending(error, self._name) from None  # the cause may quote the key
            else:
                break
        if said.ended == "content_filter" and not said.calls:
            raise refused_content(self._name)
        window = self._model.profile.get("context_window")
        if window and said.used["input_tokens"] > window * _FULL:
            conversation.shorten()
        return said

    async def _request(self, conversation: Conversation, show: Callable[[str], None]) -> Said:
        began = perf_counter()
        provider = self._name.partition(":")[0]
        with tracing.chat(self._name, {names.PROVIDER: provider}) as span:
            said = heard(await answer_of(self._model, conversation.messages, self._settings, self._parameters, show))
            span.set_attribute(names.INPUT_TOKENS, said.used["input_tokens"])
            span.set_attribute(names.OUTPUT_TOKENS, said.used["output_tokens"])
        _observe(provider, said, perf_counter() - began)
        return said


def _definition(tool: Tool) -> ToolDefinition:
    from pydantic_ai.tools import ToolDefinition

    schema = tool.arguments.model_json_schema()
    del schema["title"]
    return ToolDefinition(name=tool.name, description=schema.pop("description"), parameters_json_schema=schema)


def _observe(provider: str, said: Said, seconds: float) -> None:
    labels = {"gen_ai_provider_name": provider}
    metrics.registry.observe(names.OPERATION_SECONDS, seconds, labels)
    for kind in ("input", "output"):
        tokens = said.used[f"{kind}_tokens"]
        metrics.registry.observe(names.TOKEN_USAGE, tokens, labels | {"gen_ai_token_type": kind})
