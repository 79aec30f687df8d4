"""Hearing an answer while it is being given: its text is shown as it grows, what comes of it is the whole answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from contexten.engines.model.said import LONGEST_THOUGHT, sendable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic_ai.messages import ModelMessage, ModelResponse, ModelResponseStreamEvent
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings

PAUSE = 0.2
"""Seconds between two looks at a growing text, at least."""


async def answer_of(
    model: Model,
    messages: Sequence[ModelMessage],
    settings: ModelSettings,
    parameters: ModelRequestParameters,
    show: Callable[[str], None],
) -> ModelResponse:
    """Ask a model, and show the text of its answer while it comes.

    An answer that breaks off in the middle, which no provider's library asks for again, is asked for once more as a whole;
    so is one of a server that cannot stream.

    Args:
        model: who is asked.
        messages: what was said so far.
        settings: how long it may take, and how often the provider's library may send it.
        parameters: the tools that it may call.
        show: given the text so far, not more often than every `PAUSE` seconds.

    Raises:
        Exception: whatever the provider's library says that went wrong.
    """
    from pydantic_ai.direct import model_request

    message = await _streamed(model, messages, settings, parameters, show)
    if message is not None:
        return message
    return await model_request(
        model, messages, model_settings=settings, model_request_parameters=parameters, instrument=False
    )


async def _streamed(
    model: Model,
    messages: Sequence[ModelMessage],
    settings: ModelSettings,
    parameters: ModelRequestParameters,
    show: Callable[[str], None],
) -> ModelResponse | None:
    """The whole answer; None when it broke off after it had begun, or is no stream."""
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.exceptions import ContentFilterError, ModelAPIError, UnexpectedModelBehavior

    growing = _Growing(show)
    opened = model_request_stream(
        model, messages, model_settings=settings, model_request_parameters=parameters, instrument=False
    )
    try:
        async with opened as answer:
            broken: tuple[type[BaseException], ...] = (ModelAPIError, *answer.get_stream_cancel_errors())
            try:
                async for event in answer:
                    growing.take(event)
            except broken:
                if growing.begun:
                    return None
                raise
            message = answer.get()
    except ContentFilterError:
        raise
    except UnexpectedModelBehavior:
        return None
    return message if message.finish_reason else None


class _Growing:
    """The text of an answer, as far as it has come."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self.begun = False
        self._show = show
        self._parts: dict[int, str] = {}
        self._shown_at = 0.0

    def take(self, event: ModelResponseStreamEvent) -> None:
        """Note what has come, and show it when it is time."""
        self.begun = True
        if event.event_kind == "part_start" and event.part.part_kind == "text":
            self._parts[event.index] = event.part.content
        elif event.event_kind == "part_delta" and event.delta.part_delta_kind == "text":
            self._parts[event.index] = self._parts.get(event.index, "") + event.delta.content_delta
        else:
            return
        now = asyncio.get_running_loop().time()
        if now - self._shown_at >= PAUSE and (text := "\n\n".join(filter(None, self._parts.values())).strip()):
            self._shown_at = now
            self._show(sendable(text[:LONGEST_THOUGHT]))
