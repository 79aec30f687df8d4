"""What the dashboard's panels show, evaluated by Prometheus's own tool: also while nothing has gone wrong."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from interpreters import missing

BOARD = json.loads((Path(__file__).parents[2] / "deploy/grafana/contexten.json").read_text())
BUCKETS = {"0.1": 5, "0.2": 10, "+Inf": 10}


def series(failing):
    """A server that did ten runs a minute for an hour; when it fails, every fourth."""
    done = {"COMPLETE": 9 if failing else 10, "CANCELLED": 20, **({"FAILED": 3} if failing else {})}
    rising = {f'contexten_runs_total{{engine="model",status="{status}"}}': each for status, each in done.items()}
    rising |= {f'agent_execution_time_histogram_bucket{{engine="model",le="{le}"}}': n for le, n in BUCKETS.items()}
    rising['agent_requests_total{engine="model"}'] = 12
    rising['contexten_run_cost_usd_total{engine="model"}'] = 1
    if failing:
        rising['contexten_retries_total{host="h:1"}'] = 6
    standing = {"contexten_runs_active": 2, "contexten_queue_depth": 3}
    found = [{"series": name, "values": f"0+{step}x60"} for name, step in rising.items()]
    found += [{"series": f'{name}{{engine="model"}}', "values": f"{value}x60"} for name, value in standing.items()]
    found += [
        {"series": f'contexten_ready{{instance="{name}"}}', "values": f"{ready}x60"}
        for name, ready in (("a", 1), ("b", 0))
    ]
    return [*found, {"series": "agent_error_rate", "values": f"{0.25 if failing else 0}x60"}]


def shown(title, failing):
    by_engine, no_label = '{engine="model"}', "{}"
    every_minute = 1 / 60
    return {
        "Requests per second": {by_engine: 12 * every_minute},
        "Error rate": {by_engine: 0.25 if failing else 0},
        "Duration, 95th percentile": {by_engine: 0.19},
        "Running now": {by_engine: 2},
        "Waiting": {by_engine: 3},
        "Cost per hour": {by_engine: 60},
        "Requests sent again": {no_label: 6 * every_minute if failing else 0},
        "Ready processes": {no_label: 1},
        "Error rate since start": {no_label: 0.25 if failing else 0},
        "Runs that ended, by status": {
            '{status="CANCELLED"}': 20 * every_minute,
            '{status="COMPLETE"}': (9 if failing else 10) * every_minute,
            **({'{status="FAILED"}': 3 * every_minute} if failing else {}),
        },
    }[title]


@pytest.mark.parametrize("failing", [False, True], ids=["healthy", "failing"])
def test_every_panel_shows_a_number(tmp_path, failing):
    promtool = shutil.which("promtool") or missing("promtool is not installed. Install Debian's package: prometheus")
    asked = [
        {
            "expr": f"round({target['expr'].replace('$__rate_interval', '5m').replace('$engine', '.*')}, 0.000001)",
            "eval_time": "60m",
            "exp_samples": [
                {"labels": labels, "value": round(value, 6)} for labels, value in shown(panel["title"], failing).items()
            ],
        }
        for panel in BOARD["panels"]
        for target in panel["targets"]
    ]
    tests = [{"interval": "1m", "input_series": series(failing), "promql_expr_test": asked}]
    file = tmp_path / "dashboard_test.yml"
    file.write_text(json.dumps({"evaluation_interval": "1m", "tests": tests}))
    done = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
