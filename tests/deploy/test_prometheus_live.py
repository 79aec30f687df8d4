"""A real Prometheus scrapes a real server by our configuration, and every query that we hand out finds something."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest
import yaml

from contexten import CodegenClient
from contexten.client.local import LocalCredentials
from interpreters import missing
from waiting import until

pytestmark = pytest.mark.once
DEPLOY = Path(__file__).parents[2] / "deploy"
DOCUMENTED = [
    "rate(agent_requests_total[5m])",
    "agent_error_rate",
    "histogram_quantile(0.95, rate(agent_execution_time_histogram_bucket[5m]))",
]
"""What the agent patterns' document asks a dashboard to ask; a histogram's quantile is that of its buckets."""


@contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """What the ready line of `contexten up --metrics-port 0` says, and a client."""
    home = tmp_path_factory.mktemp("server")
    (home / "project").mkdir()
    program = Path(sys.executable).with_name("contexten")
    command = [program, "up", "--json", "--port", "0", "--metrics-port", "0", "--data-dir", home / "data"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    with ended(
        subprocess.Popen(command, cwd=home / "project", env=environment, stdout=subprocess.PIPE, text=True)
    ) as process:
        ready = json.loads(process.stdout.readline())
        token = LocalCredentials.read(home / "data").token
        with CodegenClient(token, 1, ready["base_url"]) as client:
            yield ready, client


@pytest.fixture(scope="module")
def prometheus(server, tmp_path_factory):
    """The address of a Prometheus with our rules and our configuration, but for the port and the pace."""
    program = shutil.which("prometheus") or missing("prometheus is not installed. Install Debian's package: prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    settings = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    settings["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (scrape,) = settings["scrape_configs"]
    assert scrape["static_configs"] == [{"targets": ["127.0.0.1:8080"]}]
    scrape["static_configs"] = [{"targets": [urlsplit(server[0]["metrics_url"]).netloc]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    shutil.copy(DEPLOY / "prometheus/rules.yml", folder)
    words = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"]
    with (
        (folder / "log").open("w") as log,
        ended(subprocess.Popen([program, *words], cwd=folder, stdout=log, stderr=log)) as process,
    ):
        yield f"http://127.0.0.1:{until(lambda: listening(process))}"


def listening(process):
    assert process.poll() is None
    found = psutil.Process(process.pid).net_connections(kind="tcp")
    return next((each.laddr.port for each in found if each.status == psutil.CONN_LISTEN), None)


def ask(prometheus, path, **query):
    try:
        answer = httpx2.get(f"{prometheus}/api/v1/{path}", params=query, timeout=60)
    except httpx2.TransportError:  # it is only starting
        return None
    return answer.json()["data"] if answer.status_code == 200 else None


def found(prometheus, query):
    return (ask(prometheus, "query", query=query) or {}).get("result")


def shown():
    """The queries of the dashboard, as Grafana sends them."""
    for panel in json.loads((DEPLOY / "grafana/contexten.json").read_text())["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$engine", ".*").replace("$__rate_interval", "5m")


def test_every_query_finds_what_a_server_did(server, prometheus):
    _, client = server
    until(lambda: found(prometheus, 'up{job="contexten"} == 1'))
    client.run("overview").wait(timeout=60)
    until(lambda: found(prometheus, 'contexten_runs_total{status="COMPLETE"} >= 1'))
    client.run("overview").wait(timeout=60)  # what did not change has no rate
    until(lambda: found(prometheus, 'rate(agent_requests_total{engine="analyst"}[5m]) > 0'))
    for query in [*shown(), *DOCUMENTED]:
        assert until(lambda query=query: found(prometheus, query)), query
    assert float(found(prometheus, "sum(contexten_ready)")[0]["value"][1]) == 1


def test_the_rules_are_evaluated_and_a_server_that_is_well_alarms_nobody(prometheus):
    def rules():
        groups = (ask(prometheus, "rules") or {}).get("groups", [])
        return [rule for group in groups for rule in group["rules"]]

    seen = until(rules, lambda rules: rules and all(rule["health"] == "ok" for rule in rules))
    names = re.findall(r"alert: (\w+)", (DEPLOY / "prometheus/rules.yml").read_text())
    assert [rule["name"] for rule in seen] == names
    assert {rule["state"] for rule in seen} == {"inactive"}
