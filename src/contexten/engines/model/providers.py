"""Where models are: the environment variables of the providers' keys and addresses, and what is missing to use one.

Keys and addresses are the providers' own variables, read by their own libraries when a run begins. None is kept.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from contexten.errors import EngineUnavailableError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_ai.models import Model
    from pydantic_ai.providers import Provider

NOT_INSTALLED = str(MissingExtraError("The engine model", "model"))
EXAMPLES = "openai:gpt-5 or ollama:qwen3"
NO_MODEL = f"no model is set. Export CONTEXTEN_MODEL (for example {EXAMPLES}) or pass --model."
OLLAMA = "http://127.0.0.1:11434/v1"

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 8
_HIDDEN = "[secret]"


@dataclass(frozen=True, slots=True)
class _Needs:
    """What a provider needs before it can be asked."""

    keys: tuple[str, ...] = ()
    """Variables of which one must hold a key."""
    address: str = ""
    """Variable of its address; without a key it is asked there as one that needs none."""
    package: str = ""
    """What has to be installed beside the extra `model`: the package's name, and the extra of pydantic-ai that brings it."""


_OPENAI = _Needs(("OPENAI_API_KEY",), "OPENAI_BASE_URL")
# Only these: others of pydantic-ai take what they find on the disk of the server's user, such as another program's sign-in.
_PROVIDERS = {
    "openai": _OPENAI,
    "openai-chat": _OPENAI,
    "openai-responses": _OPENAI,
    "anthropic": _Needs(("ANTHROPIC_API_KEY",)),
    "google": _Needs(("GOOGLE_API_KEY", "GEMINI_API_KEY")),
    "ollama": _Needs(),
    "vllm": _Needs(("VLLM_BASE_URL",)),
    "alibaba": _Needs(("ALIBABA_API_KEY", "DASHSCOPE_API_KEY")),
    "azure": _Needs(("AZURE_OPENAI_API_KEY",)),
    "cerebras": _Needs(("CEREBRAS_API_KEY",)),
    "deepseek": _Needs(("DEEPSEEK_API_KEY",)),
    "fireworks": _Needs(("FIREWORKS_API_KEY",)),
    "github": _Needs(("GITHUB_API_KEY",)),
    "heroku": _Needs(("HEROKU_INFERENCE_KEY",)),
    "moonshotai": _Needs(("MOONSHOTAI_API_KEY",)),
    "nebius": _Needs(("NEBIUS_API_KEY",)),
    "openrouter": _Needs(("OPENROUTER_API_KEY",)),
    "ovhcloud": _Needs(("OVHCLOUD_API_KEY",)),
    "sambanova": _Needs(("SAMBANOVA_API_KEY",)),
    "together": _Needs(("TOGETHER_API_KEY",)),
    "vercel": _Needs(("VERCEL_AI_GATEWAY_API_KEY",)),
    "zai": _Needs(("ZAI_API_KEY",)),
    "cohere": _Needs(("CO_API_KEY",), package="cohere"),
    "groq": _Needs(("GROQ_API_KEY",), package="groq"),
    "mistral": _Needs(("MISTRAL_API_KEY",), package="mistralai"),
    "bedrock": _Needs(package="boto3"),
}


def objection(model: str | None) -> str | None:
    """Why no run can begin with this model: none is named, or something is missing; None when nothing is."""
    if not model or not model.strip():
        return NO_MODEL
    provider, colon, name = model.partition(":")
    if not colon or not provider or not name:
        return f"{model!r} names no provider and model. Write provider:name, for example {EXAMPLES}."
    if provider not in _PROVIDERS:
        return f"There is no provider {provider[:40]!r} for models here. There are: {', '.join(sorted(_PROVIDERS))}."
    if not installed():
        return NOT_INSTALLED
    return _missing(_PROVIDERS[provider], model)


def installed() -> bool:
    """Whether the extra `model` is."""
    return find_spec("pydantic_ai") is not None and find_spec("genai_prices") is not None


def key_variables(model: str) -> tuple[str, ...]:
    """The variables that may hold the key for a model; none for a provider that needs none."""
    return _PROVIDERS[model.partition(":")[0]].keys


def open_model(model: str) -> Model:
    """The model of this name, to be asked. Slow at the first time: it imports the provider's library.

    Raises:
        EngineUnavailableError: there is no such provider, or it lacks something; the message says what.
    """
    from pydantic_ai.models import infer_model

    try:
        return infer_model(model, provider_factory=_provider)
    except Exception as error:  # noqa: BLE001 - each provider's library has its own way to say what it lacks
        said = str(error).partition(" To try Pydantic AI without")[0]
        raise EngineUnavailableError(f"The model {model!r} cannot be used: {without_secrets(said)}") from None


def without_secrets(text: str) -> str:
    """The text without what the environment holds as keys, tokens and passwords, and without passwords in addresses."""
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return re.sub(r"(?<=//)[^/@\s]+@", "", text)


def _secrets() -> Iterable[str]:
    for name, value in os.environ.items():
        if _SECRET.search(name) and len(value.strip()) >= _SHORTEST_SECRET:
            yield value
            yield value.strip()


def _missing(needs: _Needs, model: str) -> str | None:
    if needs.package and find_spec(needs.package) is None:
        extra = model.partition(":")[0]
        return f"{model!r} needs a package that is not installed: pip install 'pydantic-ai-slim[{extra}]'"
    if not needs.keys or any(os.environ.get(name) for name in (*needs.keys, needs.address)):
        return None
    names = " or ".join(needs.keys)
    return f"{names} is not set where the server runs, and {model!r} needs it. Export it and start the server again."


def _provider(name: str) -> Provider[Any]:
    from pydantic_ai.providers import infer_provider

    if name == "ollama":
        from pydantic_ai.providers.ollama import OllamaProvider

        return OllamaProvider(base_url=os.environ.get("OLLAMA_BASE_URL") or OLLAMA)
    return infer_provider(name)
