"""What a provider's refusal or failure means to the person whose run it ends, and what to do about it.

What is the person's own to put right (key, name, quota, content) ends a run as FAILED; what is the provider's fault as ERROR.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from contexten.engines.model.ending import Ended
from contexten.engines.model.providers import key_variables, without_secrets
from contexten.protocol import RunStatus

if TYPE_CHECKING:
    from pydantic_ai.exceptions import ModelAPIError

_LOG = logging.getLogger("contexten.engines.model")
_LONGEST = 300
_AGAIN = "Then go on with the run:"


def refused_content(model: str) -> Ended:
    """The end of a turn whose content the provider does not want to answer."""
    return Ended(
        RunStatus.FAILED,
        f"The provider of {model!r} refused the content. Ask in other words, or name another model with --model.",
    )


def context_full(model: str) -> Ended:
    """The end of a turn that has become too long for the model, however much of it is left out."""
    return Ended(
        RunStatus.OUT_OF_TOKENS,
        f"The conversation does not fit into the context of {model!r} any more. "
        "Ask for a smaller part of the task, or name a model with a larger context with --model.",
    )


def ending(error: Exception, model: str) -> Ended:
    """How a turn ends whose model could not be asked."""
    from pydantic_ai import exceptions as faults

    if isinstance(error, faults.ContentFilterError):
        return refused_content(model)
    if isinstance(error, faults.ModelAPIError):
        return _refusal(error, model)
    _LOG.warning("%s cannot be asked: %s: %s", model, type(error).__name__, without_secrets(str(error))[:_LONGEST])
    said = f"The answer of {model!r} cannot be understood ({type(error).__name__}: {_short(str(error))})."
    return Ended(RunStatus.ERROR, f"{said} Is the provider's address right? {_AGAIN}", resumable=True)


def _refusal(error: ModelAPIError, model: str) -> Ended:
    from pydantic_ai import exceptions as faults

    if isinstance(error, faults.ModelAuthenticationError):
        key = " or ".join(key_variables(model)) or "the provider's variable"
        said = f"The provider refused the key for {model!r}. Export another as {key} and start the server again."
        return Ended(RunStatus.FAILED, f"{said} {_AGAIN}", resumable=True)
    if isinstance(error, faults.ModelNotFoundError):
        near = getattr(error, "suggested_model_id", None)
        hint = f" Did you mean {near}?" if near else ""
        said = f"The provider knows no model {model.partition(':')[2]!r}.{hint} Its address may be wrong, too."
        return Ended(RunStatus.FAILED, f"{said} Name another with --model or CONTEXTEN_MODEL.")
    if isinstance(error, faults.ModelQuotaExceededError):
        said = f"The quota or credit of the account for {model!r} is used up: {_said(error)}. Fill it up."
        return Ended(RunStatus.FAILED, f"{said} {_AGAIN}", resumable=True)
    if isinstance(error, faults.ModelRequestRejectedError):
        return Ended(RunStatus.FAILED, f"The provider of {model!r} does not accept the request: {_said(error)}.")
    return Ended(RunStatus.ERROR, f"{_fault(error, model)} When it works again, go on with the run:", resumable=True)


def _fault(error: ModelAPIError, model: str) -> str:
    """What went wrong at the provider, after its own library has tried several times."""
    from pydantic_ai import exceptions as faults

    if isinstance(error, faults.ModelRateLimitError):
        wait = f", which asks to wait {error.retry_after:g} s" if error.retry_after else ""
        return f"There were too many requests to {model!r} for its provider{wait}."
    if isinstance(error, faults.ModelTimeoutError | faults.ModelRequestTimeout):
        return f"{model!r} did not answer in time."
    if isinstance(error, faults.ModelConnectionError):
        return f"The provider of {model!r} cannot be reached: {_said(error)}. Is its address right?"
    if isinstance(error, faults.ModelUnavailableError | faults.ModelServerError):
        return f"The provider of {model!r} failed: {_said(error)}."
    return f"The provider of {model!r} answered what is not its API: {_said(error)}. Is its address right?"


def _said(error: ModelAPIError) -> str:
    """The provider's own words, as far as they can be told from the rest of its answer."""
    body: Any = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        body = inner.get("message") if isinstance(inner, dict) else inner
    status = getattr(error, "status_code", None)
    words = _short(body if isinstance(body, str) else "" if status else str(error))
    return " ".join(part for part in (f"status {status}" if status else "", words) if part)


def _short(text: str) -> str:
    line = " ".join(without_secrets(text).split()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
