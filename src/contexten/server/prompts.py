"""The gate for what a run is asked: its prompt, images, engine, time and repository."""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from contexten.protocol import SourceType
from contexten.server.problems import Refusal, invalid
from contexten.server.store.records import NewRun

if TYPE_CHECKING:
    from contexten.protocol import CreateAgentRunInput
    from contexten.server.services import Services
    from contexten.server.store.records import Identity
    from contexten.settings import ServerSettings

LARGEST_METADATA = 64 * 1024
"""Characters of the JSON of a run's metadata."""
LONGEST_MODEL = 200
_IMAGE = re.compile(r"data:image/[a-z0-9.+-]{1,64};base64,", re.IGNORECASE)
_NO_REPOSITORY = "No repos found in the organization. Add one: POST /v1/organizations/{}/repos, or contexten repos add."


async def new_run(
    services: Services, org_id: int, caller: Identity, body: CreateAgentRunInput, idempotency_key: str | None = None
) -> NewRun:
    """The run that a request asks for, checked.

    Raises:
        Refusal: 422: a value cannot be used; 404: there is no repository to work on.
        NotThereError: there is no repository with this id.
    """
    check_prompt(services.settings, body.prompt)
    check_metadata(body.metadata or {})
    if body.model and len(body.model) > LONGEST_MODEL:
        raise invalid(f"the name of the model is longer than {LONGEST_MODEL} characters", "body", "model")
    engine = engine_of(services, body)
    return NewRun(
        organization_id=org_id,
        user_id=caller.user_id,
        prompt=body.prompt,
        engine=engine,
        model=model_of(services, engine, body.model),
        repo_id=await repository_of(services, org_id, body.repo_id),
        source_type=SourceType.API,
        metadata=body.metadata or {},
        images=await check_images(body.images),
        timeout=_timeout(services.settings, body.timeout),
        idempotency_key=idempotency_key,
        request_digest=await asyncio.to_thread(_digest, body) if idempotency_key else None,
    )


def check_prompt(settings: ServerSettings, prompt: str) -> None:
    """Refuse a blank prompt, and one over the limit in the settings (422)."""
    if not prompt.strip():
        raise invalid("the prompt is empty", "body", "prompt")
    size = len(prompt.encode("utf-8", "replace"))
    if size > settings.max_prompt_bytes:
        message = f"the prompt has {size} bytes; this server accepts {settings.max_prompt_bytes}"
        raise invalid(message, "body", "prompt", kind="too_long")


def check_metadata(metadata: dict[str, Any]) -> None:
    """Refuse metadata over the limit (422): each answer about the run carries them."""
    size = len(json.dumps(metadata, ensure_ascii=False))
    if size > LARGEST_METADATA:
        message = f"the metadata have {size} characters of JSON; this server accepts {LARGEST_METADATA}"
        raise invalid(message, "body", "metadata", kind="too_long")


async def check_images(images: list[str] | None) -> tuple[str, ...]:
    """The images, when each is a data URI with base64 (422)."""
    return await asyncio.to_thread(_checked_images, images) if images else ()


def _checked_images(images: list[str]) -> tuple[str, ...]:
    for index, image in enumerate(images):
        head = _IMAGE.match(image)
        if head is None or not _is_base64(image[head.end() :]):
            message = "not an image: give a data URI such as data:image/png;base64,…"
            raise invalid(message, "body", "images", index)
    return tuple(images)


def engine_of(services: Services, body: CreateAgentRunInput) -> str:
    """The name of the engine that a request asks for: `engine`, else what `agent_type` stands for, else the default."""
    named = body.engine or ("claude_code" if body.agent_type == "claude_code" else services.settings.default_engine)
    if named not in services.engines:
        names = ", ".join(engine.name for engine in services.engines)
        field = "engine" if body.engine else "agent_type"
        raise invalid(f"There is no engine {named[:100]!r}. Engines here: {names}.", "body", field)
    return named


def model_of(services: Services, engine: str, named: str | None) -> str | None:
    """The model of a run: the one that is named, else the default, as far as its engine uses them."""
    used = services.engines.get(engine)
    if not getattr(used, "uses_model", True):
        return None
    model = named or (services.settings.model if getattr(used, "uses_default_model", True) else None)
    if (objection := getattr(used, "objection", None)) and (reason := objection(model)):
        raise invalid(reason, "body", "model")
    return model


async def repository_of(services: Services, org_id: int, repo_id: int | None) -> int:
    """The id of the repository to work on: the one that is named, else the one that stands for none."""
    if repo_id is not None:
        return (await services.store.repos.get(org_id, repo_id)).id
    home = await services.home.repository_of(org_id)
    if home is None:
        raise Refusal(404, _NO_REPOSITORY.format(org_id))
    return home.id


def _timeout(settings: ServerSettings, timeout: float | None) -> float | None:
    if timeout is not None and timeout > settings.run_timeout:
        raise invalid(f"a run may take {settings.run_timeout:g} s here, not {timeout:g}", "body", "timeout")
    return timeout


def _digest(body: CreateAgentRunInput) -> str:
    """Tells requests apart by what they say: what the server adds by itself may differ when one is sent again."""
    said = json.dumps(body.model_dump(exclude_none=True), sort_keys=True)
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return True
