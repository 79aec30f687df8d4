"""Prompts, kept results and repetition: the parts of the facade that need no server."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contexten.autogenlib import AutogenConfig
from contexten.autogenlib.request import is_module
from contexten.errors import AuthenticationError, CircuitOpenError, RateLimitError, ServerError, UsageError
from contexten.extensions.codegen import (
    CodegenAutogenConfig,
    ContextInjector,
    EnhancedErrorHandler,
    IntegratedCacheManager,
)
from fault_proxy import FakeClock

pytestmark = pytest.mark.anyio
RESULT = {"generated_code": "X = 1\n", "generation_metadata": {"cached": False}}


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "payments.py").write_text(
        'def refund_order(order_id: int) -> bool:\n    """Give the money of an order back."""\n    return order_id > 0\n'
    )

    def made(**more):
        autogen = AutogenConfig(codebase_path=tmp_path, cache_dir=tmp_path / "cache", data_dir=tmp_path / "data")
        return CodegenAutogenConfig(**{"org_id": 1, "token": "t", "autogen": autogen, **more})

    return made


async def test_a_prompt_gets_what_matters_of_the_codebase(config):
    injector = ContextInjector(config())
    await injector.initialize()
    found = await injector.enhance_prompt("Log every call of refund_order", {"style": "structlog"})
    assert "Log every call of refund_order" in found.text
    assert "return order_id > 0" in found.text
    assert "- style: structlog" in found.text
    assert (found.context_summary, 0 < found.relevance_score <= 1) == (
        "1 definition: shop/payments.py:1; said: style",
        True,
    )
    same = await injector.enhance_prompt("Log every call of refund_order", {"style": "structlog"})
    assert (same.module_name, same.text) == (found.module_name, found.text)


async def test_what_has_nothing_to_do_with_the_codebase_gets_nothing(config):
    found = await ContextInjector(config()).enhance_prompt("Zzyzx qwfp")
    assert (found.context_summary, found.relevance_score) == ("nothing of the codebase", 0.0)


async def test_context_is_cut_and_the_task_never_is(config):
    task = "Do this: " + "word " * 2000 + "and nothing else."
    injector = ContextInjector(config(max_context_size=500))
    found = await injector.enhance_prompt(task, {"facts": "f" * 5000})
    assert task in found.text
    facts = injector.request_for(task, {"facts": "f" * 5000}).facts
    assert len(facts) == 500
    assert facts.endswith("… (cut)")
    assert facts in found.text


@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
@given(st.text(min_size=1).filter(str.strip), st.dictionaries(st.text("a b", min_size=1).filter(str.strip), st.text()))
def test_any_prompt_is_a_module(prompt, facts):
    injector = ContextInjector(CodegenAutogenConfig(max_context_size=200))
    request = injector.request_for(prompt, facts)
    assert is_module(request.module_path)
    assert len(request.facts) <= 200
    assert request == injector.request_for(prompt, dict(facts))


async def test_results_are_kept_by_prompt_and_context(config):
    cache = IntegratedCacheManager(config())
    await cache.initialize()
    assert await cache.get_cached_result("p", {"a": 1}) is None
    await cache.cache_result("p", {"a": 1}, RESULT)
    assert await cache.get_cached_result("p", {"a": 1}) == RESULT
    assert await cache.get_cached_result("p") is None
    assert await cache.get_cache_stats() == {
        "cache_size": 1,
        "hit_rate": pytest.approx(1 / 3),
        "total_hits": 1,
        "total_misses": 2,
        "total_evictions": 0,
    }
    assert await IntegratedCacheManager(config()).get_cached_result("p", {"a": 1}) == RESULT
    for other in ({"org_id": 2}, {"autogenlib_description": "d"}, {"base_url": "http://127.0.0.1:9"}):
        assert await IntegratedCacheManager(config(**other)).get_cached_result("p", {"a": 1}) is None


async def test_what_is_no_plain_data_is_not_kept(config):
    with pytest.raises(UsageError):
        await IntegratedCacheManager(config()).cache_result("p", None, {"generated_code": object()})


class Flaky:
    """Fails so often, and then does not."""

    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    async def __call__(self, value, *, more=0):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return value + more


@pytest.fixture
def handler(config):
    made = EnhancedErrorHandler(config(), clock=FakeClock())
    made.sleeps = made._clock.sleeps
    return made


async def test_an_operation_is_done_again(handler):
    operation = Flaky(OSError("a"), ServerError("b", status_code=503), ValueError("c"))
    assert await handler.handle_with_retry(operation, 1, more=2, backoff_factor=3.0) == 3
    assert operation.calls == 4
    assert [0.75 <= wait / 3**number <= 1 for number, wait in enumerate(handler.sleeps)] == [True] * 3


@pytest.mark.parametrize(("options", "calls"), [({}, 4), ({"max_retries": 1}, 2), ({"max_retries": 0}, 1)])
async def test_it_is_done_again_so_often_and_no_more(handler, options, calls):
    operation = Flaky(*(OSError(str(number)) for number in range(9)))
    with pytest.raises(OSError, match=str(calls - 1)):
        await handler.handle_with_retry(operation, 1, **options)
    assert operation.calls == calls


@pytest.mark.parametrize("error", [UsageError("wrong"), AuthenticationError("who", status_code=401)])
async def test_what_time_does_not_mend_is_raised_at_once(handler, error):
    operation = Flaky(error)
    with pytest.raises(type(error)):
        await handler.handle_with_retry(operation, 1)
    assert (operation.calls, handler.sleeps) == (1, [])


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [
        (RateLimitError("slow down", status_code=429, retry_after=7.5), 7.5, 7.5),
        (CircuitOpenError("left alone", retry_after=2), 2, 2),
        (Exception("429: Retry-After: 30"), 30, 30),
        (Exception("retry after 1.5 seconds"), 1.5, 1.5),
        (Exception("too many requests"), 60, 70),
    ],
)
async def test_a_rate_limit_is_waited_out(handler, error, least, most):
    await handler.handle_rate_limit_error(error)
    assert least <= handler.sleeps[0] <= most


async def test_a_wait_that_is_too_long_is_an_error(handler):
    with pytest.raises(RateLimitError):
        await handler.handle_rate_limit_error(RateLimitError("tomorrow", status_code=429, retry_after=86400))
    assert handler.sleeps == []
