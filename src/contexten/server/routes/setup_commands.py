"""Set-up commands: a run that finds out how a repository is set up."""

from fastapi import APIRouter

from contexten.protocol import GenerateSetupCommandsInput, SetupCommands, SourceType
from contexten.server.auth import Caller, GatedRoute, Running
from contexten.server.prompts import check_prompt, repository_of
from contexten.server.routes.shapes import OrgId, problems
from contexten.server.store.records import NewRun
from contexten.server.views import run_url

router = APIRouter(route_class=GatedRoute, tags=["setup-commands"])
PROMPT = (
    "Give an overview of this repository, then say which commands set it up: install its dependencies, build it, run "
    "its tests. Name the files that each command comes from."
)


@router.post(
    "/v1/organizations/{org_id}/setup-commands/generate", summary="Find set-up commands", responses=problems(body=True)
)
async def generate_setup_commands(
    org_id: OrgId, body: GenerateSetupCommandsInput, caller: Caller, services: Running
) -> SetupCommands:
    """Create a run that looks for a repository's set-up commands. `prompt` is said after the task itself."""
    prompt = f"{PROMPT}\n\n{body.prompt}" if body.prompt else PROMPT
    check_prompt(services.settings, prompt)
    new = NewRun(
        organization_id=org_id,
        user_id=caller.user_id,
        prompt=prompt,
        engine=services.settings.default_engine,
        model=services.settings.model,
        repo_id=await repository_of(services, org_id, body.repo_id),
        source_type=SourceType.SETUP_COMMANDS,
        metadata={"trigger_source": body.trigger_source},
    )
    run, _ = await services.store.runs.create(new)
    services.queue.wake()
    return SetupCommands(agent_run_id=run.id, status=run.status, url=run_url(services, run.id))
