"""The manifests: built as kubectl builds them, valid for Kubernetes' own schemas, and about things that there are."""

import configparser
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from app.config.settings import ServerS
from app.metrics.catalogue import PREFIX
from tests.gunicorn import ROOT

HERE = ROOT / "deploy" / "kubernetes"
PROGRAMS = ROOT / ".venv-sdks" / "deploy" / "bin"
VERSIONS = ("1.29", "1.33", "1.37")

Manifest = Mapping[str, Any]


@pytest.fixture(scope="module")
def built() -> str:
    if not PROGRAMS.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no environment .venv-sdks/deploy: make sdks")
    command = [str(PROGRAMS / "kubectl"), "kustomize", str(HERE)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def manifests(built: str) -> dict[tuple[str, str], Manifest]:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(built)}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schemas_of_kubernetes_take_every_manifest(built: str, version: str, tmp_path: Any) -> None:
    core = [each for each in yaml.safe_load_all(built) if not each["apiVersion"].startswith("monitoring.coreos.com")]
    file = tmp_path / "core.yaml"
    file.write_text(yaml.safe_dump_all(core))
    done = subprocess.run(
        [PROGRAMS / "kubernetes-validate", "-k", version, "--strict", str(file)],
        capture_output=True,
        text=True,
        check=False,
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


def labels(manifest: Manifest) -> Mapping[str, str]:
    """Of its pods."""
    found: Mapping[str, str] = manifest["spec"]["template"]["metadata"]["labels"]
    return found


def selectors(value: Any) -> Iterator[Mapping[str, str]]:
    """Every `matchLabels` in a manifest that is of pods."""
    if isinstance(value, list):
        for each in value:
            yield from selectors(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "matchLabels":
                yield inner
            elif key != "namespaceSelector":
                yield from selectors(inner)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"])
def test_whoever_selects_pods_finds_some(manifests: dict[tuple[str, str], Manifest], kind: str) -> None:
    ours = [labels(manifests[found]) for found in (("Deployment", "llm-gateway"), ("StatefulSet", "memcached"))]
    elsewhere = {"k8s-app": "kube-dns"}
    some = [(name, found) for (k, name), each in manifests.items() if k == kind for found in selectors(each["spec"])]
    assert some
    assert [
        each for each in some if each[1] != elsewhere and not any(each[1].items() <= pods.items() for pods in ours)
    ] == []


def test_services_lead_to_ports_of_their_pods(manifests: dict[tuple[str, str], Manifest]) -> None:
    for kind, name in (("Deployment", "llm-gateway"), ("StatefulSet", "memcached")):
        service = manifests["Service", name]["spec"]
        assert service["selector"].items() <= labels(manifests[kind, name]).items()
        ports = {port["name"] for port in container(manifests, kind, name)["ports"]}
        assert {port["targetPort"] for port in service["ports"]} <= ports
    assert manifests["StatefulSet", "memcached"]["spec"]["serviceName"] == "memcached"


def test_who_may_not_be_disturbed_and_who_grows_is_who_runs(manifests: dict[tuple[str, str], Manifest]) -> None:
    grown = manifests["HorizontalPodAutoscaler", "llm-gateway"]["spec"]
    deployment = manifests["Deployment", "llm-gateway"]
    assert (grown["scaleTargetRef"]["kind"], grown["scaleTargetRef"]["name"]) == ("Deployment", "llm-gateway")
    assert grown["scaleTargetRef"]["apiVersion"] == deployment["apiVersion"]
    assert grown["minReplicas"] == deployment["spec"]["replicas"] >= 2
    budgets = [each["spec"] for (kind, _), each in manifests.items() if kind == "PodDisruptionBudget"]
    assert [budget["maxUnavailable"] for budget in budgets] == [1, 1]


def test_each_worker_takes_what_the_autoscaler_aims_at(manifests: dict[tuple[str, str], Manifest]) -> None:
    metric = manifests["HorizontalPodAutoscaler", "llm-gateway"]["spec"]["metrics"][0]["pods"]
    assert int(metric["target"]["averageValue"]) <= ServerS().max_in_flight / 2, "room for as much again until it grew"
    text = (HERE / "autoscaling.yaml").read_text()
    assert f"name: {{as: {metric['metric']['name']}}}" in text, "what prometheus-adapter is told to call it"


def test_the_network_lets_through_what_the_pods_need_and_names_their_ports(
    manifests: dict[tuple[str, str], Manifest],
) -> None:
    gateway, store = (manifests["NetworkPolicy", name]["spec"] for name in ("llm-gateway", "memcached"))
    own = {port["name"] for port in container(manifests, "Deployment", "llm-gateway")["ports"]}
    (memcached,) = container(manifests, "StatefulSet", "memcached")["ports"]
    assert {port["port"] for rule in gateway["ingress"] for port in rule["ports"]} == own
    assert [port["port"] for rule in store["ingress"] for port in rule["ports"]] == [memcached["name"]]
    (to_store,) = (rule for rule in gateway["egress"] if rule["ports"] == [{"port": memcached["name"]}])
    assert to_store["to"] == [{"podSelector": store["podSelector"]}]
    assert store["ingress"][0]["from"] == [{"podSelector": gateway["podSelector"]}]
    assert store["egress"] == []
    assert {"Ingress", "Egress"} == {*gateway["policyTypes"]} == {*store["policyTypes"]}


def test_what_is_watched_is_what_runs(manifests: dict[tuple[str, str], Manifest]) -> None:
    rules = manifests["PrometheusRule", "llm-gateway"]["spec"]["groups"]
    assert sum("alert" in rule for group in rules for rule in group["rules"]) >= 15
    dashboards = [each for (kind, name), each in manifests.items() if kind == "ConfigMap" and name != "llm-gateway"]
    assert sum(len(each["data"]) for each in dashboards) == len(list((ROOT / "monitoring").glob("*.json")))
    assert {each["metadata"]["namespace"] for each in manifests.values()} == {"llm-gateway"}


def test_every_image_has_a_version_and_ours_the_one_that_is_built(manifests: dict[tuple[str, str], Manifest]) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert container(manifests, "Deployment", "llm-gateway")["image"] == f"llm-gateway:{setup['metadata']['version']}"
    assert container(manifests, "StatefulSet", "memcached")["image"].partition(":")[2] not in ("", "latest")


def test_secrets_are_those_that_the_first_lines_make(manifests: dict[tuple[str, str], Manifest]) -> None:
    told = re.findall(r"create secret generic (\S+)", (HERE / "kustomization.yaml").read_text())
    pod = manifests["Deployment", "llm-gateway"]["spec"]["template"]["spec"]
    used = {each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
    used |= {each["secretRef"]["name"] for each in pod["containers"][0]["envFrom"]}
    assert used == set(told)
    config = manifests["ConfigMap", "llm-gateway"]["data"]["gateway.yaml"]
    literals = set(re.findall(r"--from-literal=(\w+)=", (HERE / "kustomization.yaml").read_text()))
    assert set(re.findall(r"\$\{(\w+)\}", config)) <= literals


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
