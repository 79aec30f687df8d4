"""Servers on loopback for the client's tests."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from own_server import connect, embedded

from contexten import AsyncCodegenClient, CodegenClient
from contexten.protocol import is_terminal
from contexten.resilience import Breaker, Policy, Retry
from fault_proxy import FakeClock, Proxy
from hosted_server import ORG, TOKEN, Hosted, served

VARIABLES = ("CODEGEN_API_TOKEN", "CODEGEN_TOKEN", "CODEGEN_ORG_ID", "CODEGEN_BASE_URL", "CODEGEN_API_BASE_URL")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CONTEXTEN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hosted():
    state = Hosted()
    with served(state.app) as base_url:
        state.base_url = base_url
        yield state


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def policy(clock):
    return Policy(retry=Retry(), breaker=Breaker(clock=clock), clock=clock)


@pytest.fixture
def proxies():
    """Makes proxies that are closed at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(Proxy(*args, **options))


@pytest.fixture
def clients(policy):
    """Makes clients of a base address that are closed at the end."""
    with contextlib.ExitStack() as stack:

        def make(base_url, **options):
            options = {"policy": policy} | options
            return stack.enter_context(CodegenClient(TOKEN, ORG, base_url, **options))

        yield make


@pytest.fixture
def aclient(policy):
    """An asynchronous client of a base address, to be used as a context manager."""

    def make(base_url, **options):
        return AsyncCodegenClient(TOKEN, ORG, base_url, **({"policy": policy} | options))

    return make


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Contexten's own server. One process has one at a time."""
    with embedded(tmp_path_factory.mktemp("own")) as server:
        yield server
        with connect(server) as client:  # what still runs would be given five seconds more
            for run in client.iter_agent_runs():
                if not is_terminal(run.status):
                    client.cancel_agent_run(run.id)


@pytest.fixture
def client(server):
    with connect(server) as client:
        yield client
