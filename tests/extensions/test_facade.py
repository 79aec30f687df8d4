"""The facade over generated code and agents: each part used as it is documented, on a real server with an engine that has a script."""

import ast
import asyncio
import importlib
import threading

import pytest

from contexten.autogenlib import UsageTracker
from contexten.errors import (
    ConnectError,
    GenerationError,
    PolicyError,
    QuotaError,
    RequestTimeoutError,
    UsageError,
)
from contexten.extensions import codegen
from contexten.extensions.codegen import (
    AutogenlibAdapter,
    CodegenAdapter,
    CodegenAutogenConfig,
    CodegenAutogenIntegration,
    EnhancedAutogenGenerator,
    PerformanceMonitor,
)
from contexten.protocol import RunStatus
from model_provider import Says, finish, provider

pytestmark = pytest.mark.anyio
PROMPT = "Check whether a text could be a token"
BAD = "```python\nimport subprocess\n```"
HOMES = {
    "config": ["CodegenAutogenConfig"],
    "integration": ["CodegenAutogenIntegration"],
    "autogenlib.enhanced_generator": ["EnhancedAutogenGenerator"],
    "autogenlib.context_injector": ["ContextInjector", "EnhancedPrompt"],
    "autogenlib.cache_manager": ["IntegratedCacheManager"],
    "autogenlib.error_handler": ["EnhancedErrorHandler"],
    "adapters.codegen_adapter": ["CodegenAdapter"],
    "adapters.autogenlib_adapter": ["AutogenlibAdapter"],
    "utils.performance": ["PerformanceMonitor"],
    "utils.validation": ["validate_prompt", "validate_context"],
}


@pytest.fixture
def config(project, server):
    def made(**more):
        values = {"org_id": str(server.admin.org), "token": server.admin.token, "base_url": server.admin.base_url}
        autogen = project.config(**more.pop("autogen", {}))
        return CodegenAutogenConfig(**{**values, "agent_engine": "coder", "autogen": autogen, **more})

    return made


@pytest.fixture
async def integration(config):
    async with CodegenAutogenIntegration(config()) as made:
        yield made


@pytest.mark.parametrize(("home", "names"), HOMES.items())
def test_every_documented_name_is_at_its_documented_place(home, names):
    module = importlib.import_module(f"contexten.extensions.codegen.{home}")
    assert [getattr(module, name) for name in names] == [getattr(codegen, name) for name in names]


async def test_code_is_generated_with_context_and_kept(project, config):
    integration = CodegenAutogenIntegration(config(autogenlib_description="Tokens of the shop"))
    await integration.initialize()
    await integration.initialize()
    facts = {"framework": "none", "limits": {"length": 32}}
    first = await integration.generate_with_context(PROMPT, codebase_context=facts)
    assert set(first) == {"generated_code", "prompt", "context_used", "generation_metadata"}
    assert "def check_token" in first["generated_code"]
    ast.parse(first["generated_code"])
    assert first["prompt"] == project.coder.prompts[0]
    for part in (PROMPT, "Tokens of the shop", '- limits: {"length": 32}', "def is_code(text: str) -> bool"):
        assert part in first["prompt"]
    assert first["context_used"].startswith("1 definition: shop/codes.py:1")
    assert first["context_used"].endswith("said: framework, limits")
    facts_of = first["generation_metadata"]
    assert {"timestamp", "context_size", "enhanced_prompt_size"} <= set(facts_of)
    assert (facts_of["engine"], facts_of["cached"], facts_of["checked"]) == ("coder", False, True)
    again = await integration.generate_with_context(f" {PROMPT}\n", facts)
    assert again["generation_metadata"]["cached"]
    assert again["generation_metadata"]["cost_usd"] == 0
    assert {**again, "generation_metadata": 0} == {**first, "generation_metadata": 0}
    assert project.asked == 1
    await integration.generate_with_context(PROMPT, {"framework": "django"})
    assert project.asked == 2
    counters = integration.performance_monitor.get_metrics()["counters"]
    assert sum(value for name, value in counters.items() if name.startswith("requests_total")) == 3
    await integration.aclose()


async def test_one_is_enough_for_many_that_ask_at_once(project, integration):
    made = await asyncio.gather(*(integration.generate_with_context(PROMPT) for _ in range(30)))
    assert project.asked == 1
    made[0]["generation_metadata"].clear()
    assert made[1]["generation_metadata"]


async def test_without_the_cache_it_is_asked_each_time(project, config):
    async with CodegenAutogenIntegration(config(enable_caching=False)) as integration:
        for _ in range(2):
            assert not (await integration.generate_with_context(PROMPT))["generation_metadata"]["cached"]
    async with CodegenAutogenIntegration(config()) as integration:
        await integration.autogen_generator.generate(PROMPT, use_cache=False)
    assert project.asked == 3


async def test_an_agent_can_be_asked_at_once(project, integration, server):
    project.coder.script = ["All done."]
    found = await integration.generate_with_context("Tidy up", {"where": "shop"}, use_codegen_agent=True)
    assert (found["result"], found["generated_code"], found["status"]) == ("All done.", "All done.", "COMPLETE")
    assert found["web_url"].endswith(f"/runs/{found['task_id']}")
    assert project.coder.prompts == ["Tidy up\n\nContext:\n- where: shop"]
    assert (found["context_used"], found["generation_metadata"]["checked"]) == ("said: where", False)
    assert server.admin.read(found["task_id"])["status"] == "COMPLETE"


async def test_an_agent_takes_over_when_direct_generation_fails(project, integration):
    project.coder.script = [RunStatus.FAILED]
    found = await integration.generate_with_context(PROMPT)
    assert found["fallback_used"] is True
    assert "ended as FAILED: no luck" in found["original_error"]
    assert "def check_token" in found["generated_code"]
    assert found["generation_metadata"]["fallback_method"] == "codegen_sdk_agent"
    assert project.coder.prompts[0] == project.coder.prompts[1] == found["prompt"]
    report = UsageTracker(folder=project.variables["CONTEXTEN_DATA_DIR"]).get_usage_report()
    assert (report.total_generations, report.failed, report.total_cost) == (1, 1, 0.01)
    again = await integration.generate_with_context(PROMPT)
    assert "fallback_used" not in again
    assert project.asked == 3


async def test_when_both_fail_one_error_names_both(project, integration):
    project.coder.script = [BAD, BAD, BAD, RunStatus.FAILED]
    with pytest.raises(GenerationError) as raised:
        await integration.generate_with_context(PROMPT)
    direct, agent = raised.value.causes
    assert isinstance(direct, PolicyError)
    for part in ("Direct generation:", "imports subprocess", "Agent: Run", "ended as FAILED: no luck"):
        assert part in str(raised.value)
    assert raised.value.__cause__ is agent
    counters = integration.performance_monitor.get_metrics()["counters"]
    assert [value for name, value in counters.items() if "error" in name] == [1]


async def test_what_an_agent_answers_must_pass_the_gate_too(project, integration):
    project.coder.script = [RunStatus.FAILED, BAD]
    with pytest.raises(GenerationError, match=r"Its answer cannot be used:\n.*imports subprocess"):
        await integration.generate_with_context(PROMPT)


async def test_what_a_failed_agent_cost_counts_too(project, config):
    """And it is not asked when direct generation has used the quota up."""
    project.coder.script = [RunStatus.FAILED, BAD, RunStatus.FAILED]
    async with CodegenAutogenIntegration(config(autogen={"max_generations": 3})) as integration:
        for cause in (PolicyError, QuotaError):
            with pytest.raises(GenerationError) as raised:
                await integration.generate_with_context(PROMPT)
            assert isinstance(raised.value.causes[1], cause)
    report = UsageTracker(folder=project.variables["CONTEXTEN_DATA_DIR"]).get_usage_report()
    assert (report.total_generations, report.failed, project.asked) == (0, 3, 3)
    assert report.total_cost == 0.01


async def test_an_engine_that_only_reads_is_no_way_out(project, config):
    project.coder.script = [RunStatus.FAILED]
    async with CodegenAutogenIntegration(config(agent_engine="analyst")) as integration:
        with pytest.raises(GenerationError, match=r"no luck Agent: .*analyst, which only reads.*agent_engine"):
            await integration.generate_with_context(PROMPT)


async def test_a_used_up_quota_is_not_gone_around(project, config):
    async with CodegenAutogenIntegration(config(autogen={"max_generations": 0})) as integration:
        with pytest.raises(QuotaError):
            await integration.generate_with_context(PROMPT)
    assert project.asked == 0


async def test_the_agent_may_be_left_out(project, config):
    project.coder.script = [RunStatus.FAILED]
    async with CodegenAutogenIntegration(config(fallback=False)) as integration:
        with pytest.raises(GenerationError, match="no luck"):
            await integration.generate_with_context(PROMPT)
    assert project.asked == 1


async def test_without_a_server_both_causes_are_said(config):
    async with CodegenAutogenIntegration(config(base_url="http://127.0.0.1:9", max_retries=0)) as integration:
        with pytest.raises(GenerationError, match=r"Direct generation: .*Agent: ") as raised:
            await integration.generate_with_context(PROMPT)
    assert [isinstance(each, ConnectError) for each in raised.value.causes] == [True, True]


async def test_a_run_that_takes_too_long_is_stopped(project, server):
    project.coder.held = threading.Event()
    adapter = CodegenAdapter(server.admin.org, server.admin.token, server.admin.base_url, timeout=0.2, engine="coder")
    with pytest.raises(
        (RequestTimeoutError, GenerationError)
    ):  # stopped by us, or by the server, who knows the limit too
        await adapter.run_agent_task("Take your time")
    await adapter.aclose()
    newest = server.admin.http.get(server.admin.url("/agent/runs")).json()["items"][0]["id"]
    assert (await asyncio.to_thread(server.admin.until, newest))["status"] != "COMPLETE"


async def test_a_caller_who_goes_away_stops_the_run(project, server):
    project.coder.held = threading.Event()
    adapter = CodegenAdapter(server.admin.org, server.admin.token, server.admin.base_url, engine="coder")
    asked = asyncio.create_task(adapter.run_agent_task("Take your time"))
    assert await asyncio.to_thread(project.coder.begun.wait, 60)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await asyncio.to_thread(project.coder.cancelled.wait, 60)
    await adapter.aclose()


@pytest.mark.parametrize(
    ("prompt", "context"),
    [("", None), (" \n", None), (7, None), (PROMPT, ["a"]), (PROMPT, {1: "a"}), (PROMPT, {" ": 1})],
)
async def test_wrong_input_is_refused_before_anybody_is_asked(project, integration, prompt, context):
    with pytest.raises(UsageError):
        await integration.generate_with_context(prompt, context)
    assert project.asked == 0


@pytest.mark.parametrize(
    "wrong", [{"max_context_size": 1}, {"max_retries": -1}, {"cache_ttl": 0}, {"agent_timeout": float("nan")}]
)
def test_a_configuration_that_cannot_be_meant(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        CodegenAutogenConfig(**wrong)


def test_a_token_is_in_no_text(config):
    assert config().token not in repr(config())


async def test_the_generator_and_the_adapters_work_alone(project, config, server):
    generator = EnhancedAutogenGenerator(
        config=config(), codegen_adapter=CodegenAdapter(server.admin.org, server.admin.token, server.admin.base_url)
    )
    await generator.initialize()
    assert "def check_token" in (await generator.generate(PROMPT, context={"a": object()}))["generated_code"]
    await generator.aclose()
    adapter = AutogenlibAdapter(config())
    assert (await adapter.generate_code("shop.tokens", "generate_token")).metadata["names"] == ["generate_token"]
    await adapter.aclose()
    assert project.asked == 2


def test_imports_follow_the_configuration(project, server):
    """Without a variable in the environment: who asks, and where, is what the program says."""
    program = f"""
import asyncio
from contexten.autogenlib import AutogenConfig
from contexten.extensions.codegen import AutogenlibAdapter, CodegenAutogenConfig
config = CodegenAutogenConfig(
    {server.admin.org}, {server.admin.token!r}, {server.admin.base_url!r}, "Tokens of the shop",
    enable_exception_handler=False, autogen=AutogenConfig(engine="coder"),
)
adapter = AutogenlibAdapter(config)
asyncio.run(adapter.initialize())
from contexten.autogen.tokens import generate_token
adapter.install()
import autogenlib
from autogenlib.tokens import check_token
print(len(generate_token(8)), check_token("a"), autogenlib.__name__)
"""
    unset = {name: "" for name in project.variables if name.startswith("CODEGEN_") or name.endswith("ENGINE")}
    assert project(program, **unset) == "8 True autogenlib", project.complaints
    assert "Tokens of the shop" in project.coder.prompts[0]
    assert project.asked == 2


async def test_figures_of_requests():
    monitor = PerformanceMonitor()
    await monitor.record_request(0.5, True)
    await monitor.record_request(1.5, False)
    timer = next(iter(monitor.get_metrics()["timers"].values()))
    assert (timer["count"], timer["sum"]) == (2, 2.0)


@pytest.mark.once
async def test_a_model_writes_code_for_a_prompt(project, config, monkeypatch):
    answer = (
        '```python\ndef is_valid(code: str) -> bool:\n    """Whether a code is one."""\n    return code.isalnum()\n```'
    )
    with provider(finish("no code"), Says(answer)) as scripted:
        for name, value in scripted.environment().items():
            monkeypatch.setenv(name, value)
        chosen = config(autogen={"engine": "model", "model": "openai:gpt-5"})
        async with CodegenAutogenIntegration(chosen) as integration:
            found = await integration.generate_with_context("Check a code of the shop")
    assert "def is_valid" in found["generated_code"]
    assert (found["generation_metadata"]["model"], found["generation_metadata"]["attempts"]) == ("openai:gpt-5", 2)
    assert found["generation_metadata"]["cost_usd"] > 0
    assert "Check a code of the shop" in scripted.told(0)
