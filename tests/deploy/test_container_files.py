"""Dockerfile, compose files and the systemd unit: they name files, extras, services and settings that are there."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from contexten.settings import ServerSettings
from interpreters import missing

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
UNIT = (ROOT / "deploy" / "systemd" / "contexten.service").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPOSE = ["compose.yaml", "compose.cluster.yaml"]
# What the linter would have otherwise: versions of Debian's packages, which are gone from its archive when they are old; and two
# layers where one is kept from the other's cache on purpose.
NOT_HERE = ("DL3008", "DL3059")


def compose(name):
    return yaml.safe_load((DOCKER / name).read_text())


def test_the_linter_has_nothing_to_say():
    program = Path(sys.executable).with_name("hadolint")
    ignored = [word for rule in NOT_HERE for word in ("--ignore", rule)]
    done = subprocess.run([program, *ignored, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_copied_into_the_image_is_there_and_not_left_out():
    let_in = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()
    ]
    assert sorted(copied) == sorted(let_in)
    assert all((ROOT / name).exists() for name in copied)
    needed = {
        PROJECT["project"]["readme"],
        *PROJECT["project"]["license-files"],
        "pyproject.toml",
        "hatch_build.py",
        "uv.lock",
        "src",
    }
    assert needed <= set(copied)


def test_the_image_installs_extras_and_groups_that_exist():
    (extras,) = re.findall(r'^ARG EXTRAS="(.*)"$', DOCKERFILE, re.MULTILINE)
    assert sorted(extras.split()) == sorted(PROJECT["project"]["optional-dependencies"])
    assert set(re.findall(r"--group (\w+)", DOCKERFILE)) <= set(PROJECT["dependency-groups"])


def test_the_image_runs_our_program_as_nobody_in_particular():
    assert 'ENTRYPOINT ["tini", "--", "contexten"]' in DOCKERFILE
    assert "contexten" in PROJECT["project"]["scripts"]
    user, group = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert f"--uid {user} --gid {group}" in DOCKERFILE
    pod = yaml.safe_load((ROOT / "deploy/kubernetes/deployment.yaml").read_text())["spec"]["template"]["spec"]
    assert str(pod["securityContext"]["runAsUser"]) == user


def named_settings():
    yield from (("Dockerfile", name, value) for name, value in re.findall(r"\b(CONTEXTEN_\w+)=(\S+)", DOCKERFILE))
    lines = re.findall(r"^Environment=(CONTEXTEN_\w+)=(\S+)$", UNIT, re.MULTILINE)
    yield from (("unit", name, value) for name, value in lines)
    for file in COMPOSE:
        for service in compose(file)["services"].values():
            environment = service.get("environment", {}).items()
            yield from ((file, name, value) for name, value in environment if name.startswith("CONTEXTEN_"))


@pytest.mark.parametrize("source", ["Dockerfile", "unit", *COMPOSE])
def test_every_setting_that_is_named_is_one_that_exists(source):
    found = {name: value for place, name, value in named_settings() if place == source}
    found.pop("CONTEXTEN_WITHOUT_DASHBOARD", None)  # of the build alone
    assert found
    assert found.keys() <= ServerSettings.variables()
    ServerSettings(
        _env_file=None, **{name: value for name, value in found.items() if not value.startswith(("$", "/run"))}
    )


def test_the_settings_that_the_page_names_exist():
    page = (ROOT / "docs" / "deploy.md").read_text()
    known = ServerSettings.variables() | {"CONTEXTEN_WITHOUT_DASHBOARD"}
    assert set(re.findall(r"\bCONTEXTEN_[A-Z_]+\b", page)) <= known
    for path in re.findall(r"`(deploy/[\w./]+)`", page):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("file", COMPOSE)
def test_what_a_compose_file_names_is_there(file):
    document = compose(file)
    for name, service in document["services"].items():
        assert service.get("restart") == "unless-stopped", name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert set(service.get("secrets", [])) <= document.get("secrets", {}).keys(), name
        assert set(service.get("depends_on", [])) <= document["services"].keys(), name
        assert service["image"] == "contexten" or re.search(r":v?\d+\.\d+|:\d+-", service["image"]), name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            here = source.startswith("..") and (DOCKER / source).exists()
            assert here or source.startswith("${PROJECT") or source in document["volumes"], volume
        if "build" in service:
            assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).resolve().is_file()


def test_workers_have_names_of_their_own_and_are_the_ones_that_are_watched():
    services = compose("compose.cluster.yaml")["services"]
    workers = {name: service for name, service in services.items() if service["image"] == "contexten"}
    assert {name: service["environment"]["CONTEXTEN_WORKER_ID"] for name, service in workers.items()} == {
        name: name for name in workers
    }
    watched = yaml.safe_load((ROOT / "deploy/prometheus/compose.yml").read_text())["scrape_configs"][0]
    port = {service["environment"]["CONTEXTEN_METRICS_PORT"] for service in workers.values()}.pop()
    assert watched["static_configs"] == [{"targets": [f"{name}:{port}" for name in workers]}]
    known = {service["environment"]["CONTEXTEN_ALLOWED_HOSTS"] for service in workers.values()}
    assert known == {",".join(workers)}


def test_grafana_finds_its_data_source_and_its_dashboard():
    grafana = compose("compose.cluster.yaml")["services"]["grafana"]
    provisioning = ROOT / "deploy/grafana/provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((provisioning / "dashboards/contexten.yml").read_text())["providers"]
    mounted = [volume.split(":")[1] for volume in grafana["volumes"]]
    assert f"{provider['options']['path']}/contexten.json" in mounted
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in mounted


def seconds(text):
    return float(re.fullmatch(r"(\d+)s?", text)[1])


def test_whoever_stops_the_server_waits_for_its_drain():
    for file in COMPOSE:
        for service in compose(file)["services"].values():
            if drain := service.get("environment", {}).get("CONTEXTEN_DRAIN"):
                assert seconds(service["stop_grace_period"]) >= float(drain) + 20
    drain = dict(re.findall(r"^Environment=(\w+)=(\S+)$", UNIT, re.MULTILINE))["CONTEXTEN_DRAIN"]
    assert seconds(re.findall(r"^TimeoutStopSec=(\S+)$", UNIT, re.MULTILINE)[0]) >= float(drain) + 20


def test_the_unit_is_one_that_systemd_reads(tmp_path):
    program = shutil.which("systemd-analyze") or missing("systemd-analyze is not installed: Debian's package systemd")
    unit = tmp_path / "contexten.service"
    unit.write_text(UNIT.replace("/opt/contexten/bin/contexten", shutil.which("true")))
    done = subprocess.run([program, "verify", unit], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
