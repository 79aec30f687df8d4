"""The Kubernetes manifests: valid, at one with each other and with what the server has."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from contexten.server.app import create_app
from contexten.server.serve import BALANCERS_SECONDS, DRAIN_SECONDS
from contexten.settings import ServerSettings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
FILES = sorted(set(FOLDER.glob("*.yaml")) - {FOLDER / "kustomization.yaml"})
LABEL = {"app.kubernetes.io/name": "contexten"}
QUEUE_SECONDS = 12
"""What the queue gets after the requests: its patience with turns, and theirs with their engines."""


def manifest(name):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


@pytest.fixture(scope="module")
def pod():
    return manifest("deployment")["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod):
    (only,) = pod["containers"]
    return only


@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_manifest_is_valid(file, version):
    (document,) = yaml.safe_load_all(file.read_text())
    kubernetes_validate.validate(document, version, strict=True)


def test_all_but_the_example_is_applied():
    listed = manifest("kustomization")["resources"]
    assert sorted(listed) == [file.name for file in FILES if file.stem != "secret.example"]


def test_whoever_selects_the_pods_finds_them():
    deployment = manifest("deployment")
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        manifest("service")["spec"]["selector"],
        manifest("poddisruptionbudget")["spec"]["selector"]["matchLabels"],
        manifest("networkpolicy")["spec"]["podSelector"]["matchLabels"],
    ]
    assert selectors == [LABEL] * 4
    assert deployment["spec"]["template"]["metadata"]["labels"] == LABEL


def test_three_replicas_within_the_documented_limits(container):
    assert manifest("deployment")["spec"]["replicas"] == 3
    limits = container["resources"]["limits"]
    assert (limits["memory"], limits["cpu"]) == ("512Mi", "500m")


def test_the_settings_can_be_meant(container, tmp_path):
    values = manifest("configmap")["data"]
    given = {entry["name"] for entry in container["env"]}
    assert values.keys() | given <= ServerSettings.variables()
    settings = ServerSettings(_env_file=None, **values)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": settings.port, "metrics": settings.metrics_port}
    annotations = manifest("deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(settings.metrics_port)


def test_runs_get_the_time_that_they_are_promised(pod):
    drain = ServerSettings(_env_file=None, **manifest("configmap")["data"]).drain
    assert drain >= BALANCERS_SECONDS
    assert drain + DRAIN_SECONDS + QUEUE_SECONDS <= pod["terminationGracePeriodSeconds"]


def test_the_probes_ask_for_addresses_that_need_no_token(container):
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
    assert [probe["path"] for probe in probes] == ["/livez", "/livez", "/readyz"]
    assert {probe["port"] for probe in probes} == {"http"}
    assert {probe["path"] for probe in probes} <= create_app(ServerSettings(_env_file=None)).openapi()["paths"].keys()


def test_the_secrets_are_where_they_are_looked_for(pod, container):
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "secret"]
    files = [entry["value"] for entry in container["env"] if entry["name"].endswith("_FILE")]
    example = manifest("secret.example")
    assert sorted(files) == sorted(f"{mount['mountPath']}/{key}" for key in example["stringData"])
    assert set(example["stringData"].values()) == {""}
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "secret"]
    assert volume["secret"]["secretName"] == example["metadata"]["name"]


def test_a_pod_has_no_rights_and_writes_to_its_volumes_alone(pod, container):
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_the_figures_are_for_prometheus_alone():
    assert [port["targetPort"] for port in manifest("service")["spec"]["ports"]] == ["http"]
    rules = manifest("networkpolicy")["spec"]["ingress"]
    (figures,) = [rule for rule in rules if "metrics" in {port["port"] for port in rule["ports"]}]
    assert len(figures["from"]) == 1
    assert figures["from"][0].keys() == {"namespaceSelector", "podSelector"}
