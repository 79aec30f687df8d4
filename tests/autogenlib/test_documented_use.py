"""The names of generated code, used as their documentation uses them."""

import json

import pytest

from contexten.autogenlib import (
    AutogenClient,
    AutogenConfig,
    CacheManager,
    CallerContext,
    CodebaseContext,
    ContextEngine,
    GenerationRequest,
    PromptEnhancer,
    TemplateManager,
)
from contexten.errors import UsageError
from contexten.settings import AutogenSettings

pytestmark = pytest.mark.anyio


async def test_what_a_client_does_can_be_done_step_by_step(project, server):
    config = AutogenConfig(codebase_path=project.root)
    caller = CallerContext("shop/codes.py", "check_token('a1')")
    async with AutogenClient(server.admin.org, server.admin.token, config) as client:
        made = await client.generate_code("shop.tokens", "check_token", caller)
    engine, cache = ContextEngine(config.codebase_path), CacheManager(config.cache_config)
    context = await engine.analyze_context("shop.tokens", "check_token", caller)
    prompt = engine.enhance_prompt(
        base_prompt="Generate check_token in shop.tokens", codebase_context=context, caller_context=caller
    )
    for part in ("Generate check_token in shop.tokens", "check_token('a1')", "def is_code(text: str) -> bool"):
        assert part in prompt
    await cache.set("key", made)
    assert await cache.get("key") == made
    assert await cache.get("other") is None
    cache.close()


def test_a_template_takes_the_documented_variables():
    told = TemplateManager().get_template("function_generation").render(
        base_request="Generate parse in web.forms",
        existing_symbols=["def old() -> None"],
        imports=["json"],
        caller_usage="parse('a=1')",
        similar_functions=["def read(text: str) -> str"],
        architectural_patterns=["layers"],
        coding_standards=["Lines have at most 99 characters."],
    )  # fmt: skip
    for part in ("parse in web.forms", "def old()", "imports: json", "parse('a=1')", "def read(", "layers", "99 char"):
        assert part in told


def test_a_template_of_ones_own_is_told_of_a_name_that_nobody_says(tmp_path):
    (tmp_path / "function_generation.j2").write_text("{{ base_request }} {{ nobody }}")
    with pytest.raises(Exception, match="'nobody' is undefined"):
        PromptEnhancer(TemplateManager(tmp_path)).enhance_prompt("x", CodebaseContext())


async def test_the_projects_own_settings_for_tools_are_told(project):
    project.write(
        "pyproject.toml", '[project]\nname = "shop"\nrequires-python = ">=3.11"\n[tool.ruff]\nline-length = 99\n'
    )
    with AutogenClient(config=project.config()) as client:
        told = client.prompt_for(GenerationRequest("shop.tokens", "check_token"))
    assert "- It runs on Python >=3.11.\n- Lines have at most 99 characters.\n" in told


async def test_a_module_can_be_asked_for_by_what_it_must_do(project):
    request = GenerationRequest("shop.tokens", task="Whether a text is a code of the shop", facts="- style: plain")
    with AutogenClient(config=project.config()) as client:
        made = client.generate(request)
        told = client.prompt_for(request)
        other = GenerationRequest("shop.tokens", task=request.task)
        assert client.key_of(request) != client.key_of(other)
    assert (made.metadata["names"], "def check_token" in made.code) == ([], True)
    for part in ("Whether a text is a code of the shop", "- style: plain", "return text.isalnum()"):
        assert part in told
    assert json.loads((project.home / "data" / "autogen.jsonl").read_text())["names"] == ""
    with pytest.raises(UsageError, match="say a name or a task"):
        GenerationRequest("shop.tokens", task=" ")


def test_the_mode_is_known_without_the_settings_where_nothing_is_said(project):
    project("from contexten.autogen.tokens import generate_token\n")
    program = """
from contexten.autogen.tokens import generate_token
import sys
print("pydantic" in sys.modules)
from contexten.autogenlib import AutogenConfig
print(AutogenConfig().current_mode)
"""
    assert project(program) == "False\ngenerate", project.complaints
    assert AutogenSettings.model_fields["mode"].default == "generate"
    assert project(program, contexten_autogen="locked") == "True\nlocked", project.complaints
    project.write(".env", "CONTEXTEN_AUTOGEN=locked\n")
    assert project(program) == "True\nlocked", project.complaints
    assert project(program, CONTEXTEN_AUTOGEN="generate") == "False\ngenerate", project.complaints
