"""The manifests: built as kubectl builds them, valid for Kubernetes' own schemas, and about things that there are."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from app.config.settings import ServerS
from app.metrics.catalogue import PREFIX
from tests.gunicorn import ROOT

HERE = ROOT / "deploy" / "kubernetes"
VALIDATOR = ROOT / ".venv-sdks" / "kubernetes" / "bin" / "kubernetes-validate"
VERSIONS = ("1.29", "1.33", "1.37")

Manifest = Mapping[str, Any]


@pytest.fixture(scope="module")
def built() -> str:
    if shutil.which("kubectl") is None:  # no failure in CI either: Debian has none that is new enough
        pytest.skip("kubectl is not installed")
    done = subprocess.run(["kubectl", "kustomize", str(HERE)], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(scope="module")
def manifests(built: str) -> dict[tuple[str, str], Manifest]:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(built)}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schemas_of_kubernetes_take_every_manifest(built: str, version: str, tmp_path: Any) -> None:
    if not VALIDATOR.exists():
        pytest.skip("make sdks has not been run")
    core = [each for each in yaml.safe_load_all(built) if not each["apiVersion"].startswith("monitoring.coreos.com")]
    file = tmp_path / "core.yaml"
    file.write_text(yaml.safe_dump_all(core))
    done = subprocess.run(
        [VALIDATOR, "-k", version, "--strict", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_is_small_enough_to_apply(built: str) -> None:
    """`kubectl apply` keeps a copy of each manifest in an annotation, which has 256 KiB."""
    for each in built.split("\n---\n"):
        assert len(each.encode()) < 250_000, each[:200]


def container(manifests: Mapping[tuple[str, str], Manifest], kind: str, name: str) -> Manifest:
    found: Manifest = manifests[kind, name]["spec"]["template"]["spec"]["containers"][0]
    return found


def test_names_and_ports_agree(manifests: dict[tuple[str, str], Manifest]) -> None:
    gateway = container(manifests, "Deployment", "llm-gateway")
    ports = {port["name"]: port["containerPort"] for port in gateway["ports"]}
    environment = {each["name"]: each["value"] for each in gateway["env"]}
    bind = re.search(r"GATEWAY_BIND=\S+:(\d+)", (ROOT / "Dockerfile").read_text())
    assert bind is not None
    assert ports["http"] == int(bind[1])
    assert environment["GATEWAY_METRICS_BIND"].endswith(f":{ports['metrics']}")
    assert manifests["Service", "llm-gateway"]["spec"]["ports"][0]["targetPort"] in ports
    monitor = manifests["PodMonitor", "llm-gateway"]["spec"]
    labels = manifests["Deployment", "llm-gateway"]["spec"]["template"]["metadata"]["labels"]
    assert monitor["podMetricsEndpoints"][0]["port"] in ports
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    volumes = manifests["Deployment", "llm-gateway"]["spec"]["template"]["spec"]["volumes"]
    assert {each["name"] for each in gateway["volumeMounts"]} == {each["name"] for each in volumes}
    secrets = {each["secret"]["secretName"] for each in volumes if "secret" in each}
    assert monitor["podMetricsEndpoints"][0]["bearerTokenSecret"]["name"] in secrets


def test_the_configuration_names_files_and_servers_that_the_pods_have(
    manifests: dict[tuple[str, str], Manifest],
) -> None:
    config = yaml.safe_load(manifests["ConfigMap", "llm-gateway"]["data"]["gateway.yaml"])
    mounted = [each["mountPath"] for each in container(manifests, "Deployment", "llm-gateway")["volumeMounts"]]
    for path in (config["metrics"]["token_file"], config["cache"]["secret_file"]):
        assert path.rpartition("/")[0] in mounted
    count = manifests["StatefulSet", "memcached"]["spec"]["replicas"]
    port = container(manifests, "StatefulSet", "memcached")["ports"][0]["containerPort"]
    assert config["memcached"]["servers"] == [f"memcached-{n}.memcached:{port}" for n in range(count)]
    assert config["limits"]["replicas"] == manifests["Deployment", "llm-gateway"]["spec"]["replicas"]


def test_a_pod_has_twice_the_drain_and_its_pause_to_end(manifests: dict[tuple[str, str], Manifest]) -> None:
    pod = manifests["Deployment", "llm-gateway"]["spec"]["template"]["spec"]
    pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= pause + 2 * ServerS().drain


def test_the_autoscaler_goes_by_a_metric_that_there_is() -> None:
    rule = re.search(r"seriesQuery: '(\w+)\{", (HERE / "autoscaling.yaml").read_text())
    assert rule is not None
    reference = (ROOT / "monitoring" / "README.md").read_text()
    assert rule[1].removeprefix(PREFIX) in reference


def test_nothing_runs_as_root_or_writes_to_its_image(manifests: dict[tuple[str, str], Manifest]) -> None:
    for kind, name in (("Deployment", "llm-gateway"), ("StatefulSet", "memcached")):
        pod, inside = manifests[kind, name]["spec"]["template"]["spec"], container(manifests, kind, name)
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        assert inside["securityContext"]["readOnlyRootFilesystem"]
        assert inside["securityContext"]["capabilities"]["drop"] == ["ALL"]
