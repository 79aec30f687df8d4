"""What the official command line needs: its rules, and the Claude Code sessions that it reports as runs."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path

from contexten.protocol import (
    ClaudeCodeLog,
    ClaudeCodeSession,
    ClaudeCodeSessionCreated,
    ClaudeCodeStatus,
    CliRules,
    MessageType,
    NewLogEntry,
    RunStatus,
)
from contexten.server.auth import Caller, GatedRoute, ImagesRoute, Running
from contexten.server.problems import invalid
from contexten.server.routes.shapes import OrgId, problems
from contexten.server.store.entry_size import fitted

router = APIRouter(route_class=GatedRoute, tags=["claude-code"])
with_images = APIRouter(route_class=ImagesRoute, tags=["claude-code"])
_SESSION = "/v1/organizations/{org_id}/claude_code/session"
SessionId = Annotated[str, Path(min_length=1, max_length=200, description="The session's own id.")]


@router.get("/v1/organizations/{org_id}/cli/rules", tags=["cli-rules"], summary="Read rules", responses=problems())
async def get_rules(org_id: OrgId) -> CliRules:
    """Rules for command-line agents. This server keeps none: rules live in the repositories themselves."""
    del org_id
    return CliRules(organization_rules=None, user_custom_prompt=None)


@router.post(_SESSION, summary="Report a session", responses=problems(body=True))
async def create_session(
    org_id: OrgId, body: ClaudeCodeSession, caller: Caller, services: Running
) -> ClaudeCodeSessionCreated:
    """Make the run that shows a Claude Code session; the same session again is the same run."""
    run_id = await services.store.sessions.create(org_id, caller.user_id, body.session_id)
    return ClaudeCodeSessionCreated(agent_run_id=run_id, session_id=body.session_id)


@with_images.post(_SESSION + "/{session_id}/log", summary="Report a session's log", responses=problems(body=True))
async def add_session_log(
    org_id: OrgId, session_id: SessionId, body: ClaudeCodeLog, services: Running
) -> dict[str, Any]:
    """Write one line of a session's log into its run. What is too large to keep, such as an image, is cut."""
    run_id = await services.store.sessions.run_of(org_id, session_id)
    run = await services.store.runs.get(org_id, run_id)
    entry = await asyncio.to_thread(_entry, body.log)
    await services.store.events.append(run_id, run.turn, entry, key=None)
    return {"success": True, "agent_run_id": run_id}


@router.post(_SESSION + "/{session_id}/status", summary="Report a session's status", responses=problems(409, body=True))
async def set_session_status(
    org_id: OrgId, session_id: SessionId, body: ClaudeCodeStatus, services: Running
) -> dict[str, Any]:
    """Set the status of a session's run: one of the values of `status` of a run."""
    status = RunStatus.parse(body.status)
    if not isinstance(status, RunStatus):
        raise invalid(f"{body.status!r} is not a status. Known: {', '.join(RunStatus)}.", "body", "status")
    run_id = await services.store.sessions.run_of(org_id, session_id)
    run = await services.store.runs.set_status(org_id, run_id, status)
    return {"success": True, "agent_run_id": run.id, "status": run.status}


def _entry(log: dict[str, Any]) -> NewLogEntry:
    """A line of a session as a log entry: fields of the API's own form are kept, the rest is the observation."""
    entry = NewLogEntry(
        message_type=_words(log, "message_type") or MessageType.ACTION,
        tool_name=_words(log, "tool_name"),
        thought=_words(log, "thought") or _text(log),
        observation=log,
    )
    return fitted(entry)


def _words(log: dict[str, Any], name: str) -> str | None:
    value = log.get(name)
    return value if isinstance(value, str) and value else None


def _text(log: dict[str, Any]) -> str | None:
    """What a line of a transcript says: the text of its message, when it has one."""
    message = log.get("message", log)
    content = message.get("content") if isinstance(message, dict) else message
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return "\n".join(texts) or None
