"""The files that a Prometheus and a Grafana read, checked by Prometheus's own tool."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest
import yaml

from contexten import CodegenClient
from contexten.telemetry.prometheus import HELP
from interpreters import missing
from running_server import running

DEPLOY = Path(__file__).parents[2] / "deploy"
SUFFIXES = ("_bucket", "_sum", "_count")


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "config", "compose.yml"),
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules_test.yml"),
    ],
)
def test_promtool_accepts_the_files(arguments):
    promtool = shutil.which("promtool") or missing("promtool is not installed. Install Debian's package: prometheus")
    done = subprocess.run(
        [promtool, *arguments], cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_what_is_scraped_is_called_what_the_rules_call_it_every_15_seconds():
    for file in ("prometheus.yml", "compose.yml", "kubernetes.yml"):
        settings = yaml.safe_load((DEPLOY / "prometheus" / file).read_text())
        (scrape,) = settings["scrape_configs"]
        assert (scrape["job_name"], scrape["metrics_path"]) == ("contexten", "/metrics")
        assert settings["global"]["scrape_interval"] == "15s"


def test_promtool_accepts_how_pods_are_chosen(tmp_path):
    """Debian's promtool does not know how pods are found; what is done with what was found, it does."""
    promtool = shutil.which("promtool") or missing("promtool is not installed. Install Debian's package: prometheus")
    settings = yaml.safe_load((DEPLOY / "prometheus" / "kubernetes.yml").read_text())
    (scrape,) = settings["scrape_configs"]
    (found,) = scrape.pop("kubernetes_sd_configs")
    assert found == {"role": "pod", "namespaces": {"names": ["contexten"]}}
    del settings["rule_files"]
    (tmp_path / "kubernetes.yml").write_text(yaml.safe_dump(settings))
    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "kubernetes.yml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_tested_and_has_a_page():
    rules = (DEPLOY / "prometheus" / "rules.yml").read_text()
    alerts = re.findall(r"alert: (\w+)", rules)
    proven = (DEPLOY / "prometheus" / "rules_test.yml").read_text()
    runbook = (DEPLOY.parent / "docs" / "runbook.md").read_text()
    assert alerts
    for alert in alerts:
        assert f"alertname: {alert}\n" in proven
        assert f"## {alert}\n" in runbook
        assert f'runbook_url: "docs/runbook.md#{alert.lower()}"' in rules


def queried(text):
    names = re.findall(r"\b((?:contexten|agent|gen_ai)_[a-z_]+)", text)
    return {next((n.removesuffix(s) for s in SUFFIXES if n.endswith(s)), n) for n in names}


@pytest.mark.parametrize("file", ["grafana/contexten.json", "prometheus/rules.yml", "prometheus/rules_test.yml"])
def test_every_metric_that_is_queried_is_one_we_export(file, scraped):
    asked = queried((DEPLOY / file).read_text())
    assert asked
    assert asked <= set(HELP)
    assert {name for name in asked if f"# HELP {name} " not in scraped} == set()


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """What a server answers after a run, and a request of this process that had to be sent again."""
    with running(tmp_path_factory.mktemp("scraped")) as place:
        with CodegenClient(place.admin.token, 1, place.server.base_url, middleware=[busy_at_first()]) as client:
            client.run("hello").wait(timeout=60)
        return place.admin.http.get(f"{place.server.base_url}/metrics").text


def busy_at_first():
    answers = [httpx2.Response(503, headers={"retry-after-ms": "1"})]
    return lambda request, send: answers.pop() if answers else send(request)


def test_the_dashboard_asks_for_its_data_source_and_keeps_its_address():
    board = json.loads((DEPLOY / "grafana" / "contexten.json").read_text())
    assert board["uid"] == "contexten-runs"
    assert board["templating"]["list"][0]["type"] == "datasource"
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {"${datasource}"}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
