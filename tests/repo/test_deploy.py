"""Operators' files agree with the code: variables, commands, ports, paths, files and metrics exist."""

import configparser
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry, generate_latest

from bot import VERSION
from bot.__main__ import ROLES, _parser
from bot.ingest.http import routes
from bot.ingest.webhook import SECRET_HEADER
from bot.observe import metric_families
from bot.observe.health import Health
from bot.observe.metrics import SECONDS, Metrics, registry
from bot.runtime import ALL_ROLES
from bot.settings import SECRETS_VARIABLE, VARIABLES, Settings, load_settings
from deploy import images, release
from tests.repo.test_repository import imports

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
BASE = KUBERNETES / "base"
SETTING = re.compile(r"\bTOMBOLA_[A-Z_]+\b")
METRIC = re.compile(r"(?<![:\w])(?:tombola|process)_\w+")
RULES = (DEPLOY / "prometheus" / "alerts.yaml", DEPLOY / "prometheus" / "objectives.yaml")
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
WEBHOOK = Settings().telegram.webhook_path


def files() -> list[Path]:
    return [path for path in DEPLOY.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def documents(folder: Path = BASE) -> Iterator[tuple[Path, Any]]:
    """Yield every object of the manifests."""
    for path in sorted(folder.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield path, document


def of_kind(kind: str) -> list[Any]:
    return [document for _, document in documents() if document["kind"] == kind]


def paths() -> set[str]:
    """Return the paths that every process serves."""
    return {route.path for route in routes(Health({}, needed=frozenset()), CollectorRegistry())}  # type: ignore[attr-defined]


# -- everywhere -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_variable_is_a_setting(path: Path) -> None:
    assert set(SETTING.findall(path.read_text())) - {"TOMBOLA_SECTION__KEY", SECRETS_VARIABLE} <= VARIABLES.keys()


def loaded(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings(env_file=None)


TOKEN = {"TOMBOLA_TELEGRAM__TOKEN": "1:token", "TOMBOLA_TELEGRAM__WEBHOOK_SECRET": "secret"}


def test_the_variables_and_files_of_kubernetes_make_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [config], [secret] = of_kind("ConfigMap"), of_kind("Secret")
    assert set(secret["stringData"]) >= TOKEN.keys()
    for name, text in (secret["stringData"] | TOKEN).items():
        (tmp_path / name).write_text(text)
    settings = loaded(monkeypatch, config["data"] | {SECRETS_VARIABLE: str(tmp_path)})
    assert settings.telegram.token.get_secret_value() == TOKEN["TOMBOLA_TELEGRAM__TOKEN"]
    assert settings.redis.dsn.get_secret_value().startswith("redis://")
    assert settings.telegram.mode == "webhook"
    assert settings.telegram.webhook_address.endswith(WEBHOOK)
    assert settings.log.as_json
    assert settings.web.host == "0.0.0.0"


def test_the_variables_of_compose_make_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (DEPLOY / "tombola.env.example").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    text = re.sub(r"\$\{\w+:\?[^}]*\}", "password", (DEPLOY / "compose.yaml").read_text())
    composed = yaml.safe_load(text)["services"]["bot"]["environment"]
    settings = loaded(monkeypatch, variables | composed | TOKEN)
    assert settings.telegram.webhook_url.startswith("https://")
    assert settings.telegram.operators == ()
    assert settings.database.dsn.get_secret_value().endswith("@postgres/tombola")


# -- the image --------------------------------------------------------------------------------------------------


def test_the_image_has_every_package_and_nothing_secret() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (?!--from)(\S+)", text, re.MULTILINE))
    assert all((ROOT / name).exists() for name in copied)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "chaos", "docs"}
    assert packages | {"locales", "migrations", "config.toml", "requirements.lock"} == copied
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied


def test_the_code_in_the_image_imports_nothing_that_the_image_lacks() -> None:
    copied = set(re.findall(r"^COPY (?!--from)(\w+) ", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))
    lacking = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.glob("*.py"))} - copied
    lacking |= {path.stem for path in ROOT.glob("*.py")}
    assert {"tests", "benchmarks", "chaos", "verify"} <= lacking
    for folder in copied - {"locales", "migrations"}:
        for file in (ROOT / folder).rglob("*.py"):
            assert not imports(file) & lacking, file


def test_the_image_installs_by_hashes_and_runs_as_nobody_special() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert "://" not in text.replace("http://127.0.0.1:8080", "")
    [user] = re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE)
    assert int(user) > 1000
    [probe] = re.findall(r"http://127.0.0.1:8080(/[\w/]+)", text)
    assert probe in paths()
    assert re.search(rf"^EXPOSE {Settings().web.port}$", text, re.MULTILINE)
    [command] = re.findall(r"^CMD (\[.+\])$", text, re.MULTILINE)
    assert callable(_parser().parse_args(json.loads(command)).command)


def test_every_image_is_named_in_the_lock_file_and_nowhere_else() -> None:
    lock = (DEPLOY / "images.lock").read_text()
    locked = {image["name"]: image for image in images.images(lock)}
    used = {"TRIVY_IMAGE"}  # of the Makefile
    for service in yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].values():
        if not service["image"].startswith("tombola:"):
            [name] = re.fullmatch(r"\$\{(\w+):\?.*\}", service["image"]).groups()  # type: ignore[union-attr]
            used.add(name)
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    used |= set(re.findall(r"^ARG (\w+)$", dockerfile, re.MULTILINE))
    assert used == locked.keys()
    for path in [*files(), ROOT / "Makefile", *(ROOT / ".github").rglob("*.yml")]:
        if path.name != "images.lock":
            for image in locked.values():
                assert f"{image['path']}:" not in path.read_text(), path


class Registry(BaseHTTPRequestHandler):
    """A registry that gives a digest to those who have fetched a token, as Docker Hub does."""

    digest = "sha256:" + "ab" * 32

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Hand out a token."""
        asked = parse_qs(urlsplit(self.path).query)
        good = asked == {"service": ["registry"], "scope": ["repository:library/python:pull"]}
        self._answer(200 if good else 400, b'{"token": "t0ken"}')

    def do_HEAD(self) -> None:
        """Tell the digest of the list of architectures."""
        if self.headers["Authorization"] != "Bearer t0ken":
            realm = f"http://{self.headers['Host']}/token"
            challenge = f'Bearer realm="{realm}",service="registry",scope="repository:library/python:pull"'
            self._answer(401, WWW_Authenticate=challenge)
        elif self.path == "/v2/library/python/manifests/3.11" and "image.index" in self.headers["Accept"]:
            self._answer(200, Docker_Content_Digest=self.digest)
        else:
            self._answer(404)


@pytest.fixture
def images_registry() -> Iterator[str]:
    """Return the address of a registry."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_images_are_pinned_by_the_digests_of_their_registry(
    images_registry: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "images.lock"
    line = f"PYTHON_IMAGE={images_registry}/library/python:3.11"
    lock.write_text(f"# comment\n{line}\n")
    assert images.main(["check", "--file", str(lock)]) == 1
    assert "PYTHON_IMAGE has no digest" in capsys.readouterr().out
    assert images.main(["lock", "--file", str(lock)]) == 0
    assert lock.read_text() == f"# comment\n{line}@{Registry.digest}\n"
    assert images.main(["check", "--file", str(lock)]) == 0
    lock.write_text(f"{line}@sha256:{'0' * 64}\n")
    assert images.main(["lock", "--file", str(lock)]) == 0
    assert lock.read_text() == f"{line}@{Registry.digest}\n", "a digest is renewed"
    gone = f"PYTHON_IMAGE={images_registry}/library/python:2\n"
    lock.write_text(gone)
    assert images.main(["lock", "--file", str(lock)]) == 1
    assert lock.read_text() == gone
    assert "404" in capsys.readouterr().err


def test_compose_keeps_what_is_acknowledged() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert (DEPLOY / services["bot"]["build"]["context"] / services["bot"]["build"]["dockerfile"]).resolve().is_file()
    command = " ".join(services["redis"]["command"])
    assert "--appendonly yes --appendfsync always --maxmemory-policy noeviction" in command
    assert all(service.get("volumes") for name, service in services.items() if name in {"redis", "postgres"})
    for service in services.values():
        for volume in service.get("volumes", []):
            if volume.startswith("."):
                assert (DEPLOY / volume.split(":")[0]).exists()


# -- Kubernetes -------------------------------------------------------------------------------------------------


KUSTOMIZATIONS = sorted(path for path in DEPLOY.rglob("kustomization.yaml"))


def test_every_manifest_is_applied_or_says_why_not() -> None:
    listed = set()
    for path in KUSTOMIZATIONS:
        content = yaml.safe_load(path.read_text())
        for name in [*content.get("resources", ()), *content.get("components", ())]:
            listed.add((path.parent / name).resolve())
            assert (path.parent / name).exists(), name
        for generated in content.get("configMapGenerator", ()):
            assert all((path.parent / name).is_file() for name in generated["files"])
    for path in KUBERNETES.rglob("*.yaml"):
        assert path in {*listed, *KUSTOMIZATIONS} or re.search(r"Not (in\s|an object)", path.read_text()), path


def pods() -> Iterator[Any]:
    """Yield the pods of all workloads, of the base, the canary and the components."""
    for folder in (BASE, KUBERNETES / "canary", KUBERNETES / "components" / "backup"):
        for _, document in documents(folder):
            match document["kind"]:
                case "Deployment" | "Job":
                    yield document["spec"]["template"]
                case "CronJob":
                    yield document["spec"]["jobTemplate"]["spec"]["template"]


def test_every_container_runs_a_command_of_ours_with_limits_and_without_rights() -> None:
    [account] = of_kind("ServiceAccount")
    directory = of_kind("ConfigMap")[0]["data"][SECRETS_VARIABLE]
    [secret] = of_kind("Secret")
    for pod in pods():
        spec = pod["spec"]
        assert spec["serviceAccountName"] == account["metadata"]["name"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        [container] = spec["containers"]
        arguments = container["args"]
        if container.get("command"):
            [arguments] = re.findall(r"python -m bot (\w+ \S+)", container["args"][0])
            arguments = shlex.split(arguments)
        assert callable(_parser().parse_args(arguments).command)
        assert {"requests", "limits"} <= container["resources"].keys()
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["envFrom"] == [{"configMapRef": {"name": "tombola"}}], "secrets are files"
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert set(mounts.values()) == volumes.keys()
        assert volumes[mounts[directory]]["secret"]["secretName"] == secret["metadata"]["name"]


def test_the_namespace_enforces_the_strictest_standard() -> None:
    [namespace] = of_kind("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for path in KUSTOMIZATIONS:
        content = yaml.safe_load(path.read_text())
        if "images" in content:
            assert content["namespace"] == namespace["metadata"]["name"]
            [image] = content["images"]
            assert image == {"name": "tombola", "newName": "tombola", "newTag": VERSION}


def test_autoscalers_scale_deployments_by_metrics_that_there_are() -> None:
    names = {deployment["metadata"]["name"] for deployment in of_kind("Deployment")}
    scaled = scaled_objects()
    assert {each["spec"]["scaleTargetRef"]["name"] for each in scaled} <= names
    queries = {
        trigger["metadata"]["query"]
        for each in scaled
        for trigger in each["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    }
    asked = {name for query in queries for name in METRIC.findall(query)}
    assert {"tombola_updates_total", "tombola_feed_lag_seconds"} <= asked <= exported()
    values = yaml.safe_load((KUBERNETES / "components/custom-metrics/prometheus-adapter.values.yaml").read_text())
    rules = {rule["name"]["as"]: rule for rule in values["rules"]["external"]}
    assert {rule["metricsQuery"] for rule in rules.values()} == queries
    assert {rule["seriesQuery"] for rule in rules.values()} <= exported()
    text = "".join(path.read_text() for path in (KUBERNETES / "components" / "custom-metrics").glob("*n*.yaml"))
    assert set(re.findall(r"metric: \{name: ([\w-]+)\}", text)) == rules.keys()


def scaled_objects() -> list[Any]:
    """Return the objects that KEDA reads."""
    found = [document for _, document in documents(KUBERNETES / "components" / "keda")]
    return [document for document in found if document["kind"] == "ScaledObject"]


def test_the_objects_of_keda_are_valid_and_other_fields_are_not() -> None:
    """The schema is that of KEDA's own definition of the resource: its first lines name the source."""
    valid = jsonschema_rs.validator_for(json.loads((ROOT / "tests/support/keda_scaledobject.schema.json").read_text()))
    assert [problem for each in scaled_objects() for problem in valid.iter_errors(each)] == []
    for old, new in (
        ("maxReplicaCount: ", "maxReplicas: "),
        ("maxReplicaCount: 10", "maxReplicaCount: ten"),
        ('threshold: "500"', "threshold: 500"),
        ("serverAddress: ", "address: "),
        ("failureThreshold: 4, ", ""),
        ("type: prometheus", "type: promotheus"),
        ("periodSeconds: 15", "seconds: 15"),
        ("behavior: currentReplicasIfHigher", "behavior: higher"),
    ):
        text = (KUBERNETES / "components" / "keda" / "scaledobjects.yaml").read_text()
        assert old in text
        wrong = next(iter(yaml.safe_load_all(text.replace(old, new))))
        assert not valid.is_valid(wrong), new


CHART = DEPLOY / "helm" / "tombola"


def test_the_chart_has_the_version_and_the_settings_of_the_base() -> None:
    """`make test-deploy` compares the objects, with Helm itself."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == VERSION
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values["settings"] == of_kind("ConfigMap")[0]["data"]
    templates = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    assert values.keys() == schema.keys() - {"global"}
    for name, value in values.items():
        assert f".Values.{name}" in templates
        if name not in {"settings", "resources"} and isinstance(value, dict):
            assert value.keys() == schema[name]["properties"].keys()
    resources = {
        deployment["metadata"]["name"].removeprefix("tombola-"): container["resources"]
        for deployment in of_kind("Deployment")
        for container in deployment["spec"]["template"]["spec"]["containers"]
    }
    assert values["resources"] == resources


def test_every_command_of_the_page_for_those_who_deploy_exists() -> None:
    page = (DEPLOY / "README.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ *)make ([a-z-]+)", page, re.MULTILINE)) <= targets
    for name in re.findall(r"(?:-k|-f|apply|install tombola|cp) (deploy/[\w./-]+)", page):
        assert (ROOT / name).exists(), name
    for arguments in re.findall(r"python -m bot ([\w ./-]+)", page):
        _parser().parse_args(arguments.split())
    manifests = "".join(path.read_text() for path in KUBERNETES.rglob("*.yaml"))
    for kind, name in re.findall(r"\b(deploy(?:ment)?|svc|job|cronjob)/(tombola[\w-]*)", page):
        assert f"name: {name}\n" in manifests, (kind, name)
    for setting in re.findall(r"--set ([\w.]+)=", page):
        values = yaml.safe_load((CHART / "values.yaml").read_text())
        for part in setting.split("."):
            assert part in values, setting
            values = values[part]


def test_the_deployments_have_every_role_that_does_something() -> None:
    roles = {role for deployment in of_kind("Deployment") for role in _roles(deployment)}
    assert roles == ALL_ROLES
    assert roles <= set(ROLES)


def _roles(deployment: Any) -> list[str]:
    args = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    return list(_parser().parse_args(args).role)


def test_probes_ask_what_is_served_on_the_port_that_is_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    [config] = of_kind("ConfigMap")
    data = {name: value for name, value in config["data"].items() if name != SECRETS_VARIABLE}
    port = loaded(monkeypatch, data | TOKEN).web.port
    for deployment in of_kind("Deployment"):
        pod = deployment["spec"]["template"]
        [container] = pod["spec"]["containers"]
        [listens] = container["ports"]
        assert listens["containerPort"] == port == int(pod["metadata"]["annotations"]["prometheus.io/port"])
        assert pod["metadata"]["annotations"]["prometheus.io/path"] in paths()
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = container[probe]["httpGet"]
            assert asked["path"] in paths()
            assert asked["port"] == listens["name"]
        assert pod["spec"]["terminationGracePeriodSeconds"] > 15
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_everything_that_selects_finds_a_deployment() -> None:
    labels = [deployment["spec"]["template"]["metadata"]["labels"] for deployment in of_kind("Deployment")]
    selectors = [service["spec"]["selector"] for service in of_kind("Service")]
    selectors += [budget["spec"]["selector"]["matchLabels"] for budget in of_kind("PodDisruptionBudget")]
    selectors += [deployment["spec"]["selector"]["matchLabels"] for deployment in of_kind("Deployment")]
    assert len(of_kind("PodDisruptionBudget")) == len(labels)
    for selector in selectors:
        assert any(selector.items() <= found.items() for found in labels), selector
    names = {deployment["metadata"]["name"]: deployment for deployment in of_kind("Deployment")}
    for scaler in of_kind("HorizontalPodAutoscaler"):
        assert "replicas" not in names[scaler["spec"]["scaleTargetRef"]["name"]]["spec"], "two would set the replicas"


def test_the_network_policy_covers_every_pod_and_opens_the_port_that_is_listened_on() -> None:
    [policy] = of_kind("NetworkPolicy")
    selected = policy["spec"]["podSelector"]["matchLabels"]
    assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    [rule] = policy["spec"]["ingress"]
    opened = {port["port"] for port in rule["ports"]}
    assert all(source.keys() == {"namespaceSelector"} for source in rule["from"])
    for deployment in of_kind("Deployment"):
        pod = deployment["spec"]["template"]
        assert selected.items() <= pod["metadata"]["labels"].items()
        assert opened == {port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}


def test_the_front_lets_only_the_webhook_through() -> None:
    [front] = of_kind("Ingress")
    [rule] = front["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert (path["path"], path["pathType"]) == (WEBHOOK, "Exact")
    components = {each["metadata"]["name"]: each["spec"]["selector"] for each in of_kind("Service")}
    assert components[path["backend"]["service"]["name"]]["app.kubernetes.io/component"] == "ingress"


# -- proxies and systemd ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nginx.conf", "nginx-compose.conf", "Caddyfile"])
def test_a_proxy_lets_only_the_webhook_through(name: str) -> None:
    text = (DEPLOY / "proxy" / name).read_text()
    braces = re.sub(r"#.*", "", text)
    assert braces.count("{") == braces.count("}")
    assert re.search(rf"(location = |handle ){WEBHOOK} {{", text)
    assert re.search(r"location / {\s+return 404;|handle {\s+respond 404", text)
    assert f":{Settings().web.port}" in text
    for asked in re.findall(r"health_uri (\S+)", text):
        assert asked in paths()


def test_the_readme_names_the_header_and_the_path_of_the_webhook() -> None:
    text = (ROOT / "README.md").read_text()
    [header] = re.findall(r"`(X-Telegram[\w-]+)`", text)
    assert header.lower().encode() == SECRET_HEADER
    assert text.count(WEBHOOK) >= 3


def test_compose_gives_the_stores_passwords_and_a_network_without_a_way_out() -> None:
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for name in ("postgres", "redis"):
        service = composed["services"][name]
        assert any(key.endswith("PASSWORD") for key in service["environment"])
        assert [composed["networks"][network] for network in service["networks"]] == [{"internal": True}]
    assert "requirepass" in str(composed["services"]["redis"]["command"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this system has no systemd")
def test_the_unit_is_hardly_exposed() -> None:
    unit = DEPLOY / "systemd" / "tombola.service"
    command = ["systemd-analyze", "security", "--offline=true", str(unit)]
    report = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    [level] = re.findall(r"Overall exposure level for tombola\.service: ([\d.]+)", report)
    assert float(level) < 3


def test_the_unit_runs_a_command_of_ours() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[method-assign, assignment]
    unit.read(DEPLOY / "systemd" / "tombola.service")
    _, _, command = unit["Service"]["ExecStart"].partition(" -m bot ")
    assert _parser().parse_args(command.split()).role is None
    assert int(unit["Service"]["TimeoutStopSec"]) > 10


# -- metrics ----------------------------------------------------------------------------------------------------


def exported() -> set[str]:
    """Return every metric that a process can export, in Prometheus' names."""
    source = Path(metric_families.__file__).read_text()
    metrics = Metrics()
    for counter in (metrics.updates, metrics.commands, metrics.api_requests):
        counter["x", "y"] += 1
    metrics.errors["x"] += 1
    shown = generate_latest(registry(metrics)).decode()
    names = set(re.findall(r"^(\w+?)(?:\{| )", shown, re.MULTILINE))
    endings = {"Counter": ("_total",), "Gauge": ("",), "Histogram": ("_bucket", "_sum", "_count")}
    for kind, name in re.findall(r"(Counter|Gauge|Histogram)MetricFamily\(\s*\"(\w+)\"", source):
        names |= {name + ending for ending in endings[kind]}
    return names


def rules() -> list[dict[str, Any]]:
    """Return all alerts and recording rules."""
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    for rule in rules():
        assert {"alert", "labels", "annotations"} <= rule.keys() or "record" in rule
        yield rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            if panel["datasource"]["type"] == "prometheus":
                yield target["expr"]


def panels() -> list[dict[str, Any]]:
    """Return the panels of all dashboards."""
    return [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]


def test_alerts_and_panels_ask_for_metrics_that_there_are() -> None:
    known = exported()
    asked = {name for expression in expressions() for name in METRIC.findall(expression)}
    assert len(asked) > 12
    assert asked <= known
    for expression in expressions():
        assert expression.count("(") == expression.count(")")


def test_the_page_for_operators_explains_every_metric_and_every_alert_and_no_other() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    ours = {name for name in exported() if name.startswith("tombola_") and not name.endswith("_created")}
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in ours} == set(re.findall(r"\btombola_\w+", page))
    alerts = [rule["alert"] for rule in rules() if "alert" in rule]
    assert re.findall(r"^\| (Tombola\w+) \|", page, re.MULTILINE) == alerts


def test_every_alert_has_a_line_with_its_severity_its_meaning_and_a_command_that_can_be_run() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    severities = {rule["alert"]: rule["labels"]["severity"] for rule in rules() if "alert" in rule}
    lines = re.findall(r"^\| (Tombola\w+) \| (\w+) \| (.+?) \| `(.+?)` \| (.+) \|$", page, re.MULTILINE)
    assert {name: severity for name, severity, *_ in lines} == severities
    tools = {"journalctl", "systemctl", "chronyc", "top"}  # of the system; the others are checked
    for name, _, _, command, _ in lines:
        words = shlex.split(command.replace("\\|", "|"))
        match words:
            case ["python", "-m", "bot", *arguments]:
                _parser().parse_args(arguments)
            case ["curl", "-s", address]:
                assert urlsplit(f"http://{address}").path in paths()
            case ["promtool", "query", "instant", "http://localhost:9090", expression]:
                assert set(METRIC.findall(expression)) <= exported()
            case ["psql", "$TOMBOLA_DATABASE__DSN", "-c", query]:
                tables = re.findall(r"FROM (\w+)", query)
                assert all(f"CREATE TABLE {table} (" in migrations() for table in tables), name
            case _:
                assert words[0] in tools, command


def migrations() -> str:
    """Return the text of all migrations."""
    return "".join(path.read_text() for path in sorted((ROOT / "migrations" / "versions").glob("*.py")))


def test_recorded_names_that_rules_ask_for_are_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {name for expression in expressions() for name in re.findall(r"\btombola:[\w:]+", expression)}
    assert asked <= recorded


def test_bounds_of_objectives_are_bounds_of_buckets() -> None:
    bounds = {float(bound) for rule in rules() for bound in re.findall(r'le="([\d.]+)"', rule["expr"])}
    assert bounds == {0.1, 0.2, 1.0}
    assert bounds <= set(SECONDS)


def test_every_alert_has_a_unit_test_in_which_it_fires_and_one_in_which_it_is_silent() -> None:
    """Promtool runs them: `tests/servers/test_prometheus.py`."""
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    cases = [
        case
        for path in RULES
        for test in yaml.safe_load(path.with_suffix(".test.yaml").read_text())["tests"]
        for case in test.get("alert_rule_test", ())
    ]
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == alerts


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_do_not_lie_on_each_other(path: Path) -> None:
    cells = [
        (column, row)
        for panel in json.loads(path.read_text())["panels"]
        for grid in [panel["gridPos"]]
        for column in range(grid["x"], grid["x"] + grid["w"])
        for row in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(column < 24 for column, _ in cells)


def test_the_files_of_the_dashboards_are_those_that_the_script_writes() -> None:
    """`make dashboards` writes them."""
    script = runpy.run_path(str(DEPLOY / "grafana" / "make_dashboards.py"))
    assert {path.stem for path in DASHBOARDS} == set(script["DASHBOARDS"])
    for path in DASHBOARDS:
        assert path.read_text() == script["text"](path.stem)


def test_panels_have_descriptions_and_sources_that_are_provisioned() -> None:
    provisioned = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/tombola.yaml").read_text())["datasources"]
    sources = {source["uid"]: source["type"] for source in provisioned}
    for panel in panels():
        assert panel["description"].endswith("."), panel["title"]
        assert sources[panel["datasource"]["uid"]] == panel["datasource"]["type"]
    jumps = re.findall(r"datasourceUid: (\w+)", yaml.dump(provisioned))
    assert set(jumps) == {"jaeger", "elasticsearch"} <= sources.keys()


def test_the_lines_in_panels_are_the_objectives() -> None:
    bounds = {
        name: float(bound)
        for rule in rules()
        for name, bound in re.findall(r'(tombola_\w+_seconds)_bucket\{le="([\d.]+)"', rule["expr"])
    }
    assert set(bounds) == {"tombola_tap_seconds", "tombola_live_lag_seconds", "tombola_deadline_lateness_seconds"}
    drawn = set()
    for panel in panels():
        steps = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for name in bounds.keys() & {name for target in panel["targets"] for name in _histograms(target)}:
            assert steps == [None, bounds[name]], panel["title"]
            drawn.add(name)
    assert drawn == set(bounds)


def _histograms(target: dict[str, Any]) -> list[str]:
    return re.findall(r"(tombola_\w+_seconds)_bucket", target.get("expr", ""))


@pytest.mark.parametrize("name", ["scrape.yaml", "compose.yaml"])
def test_prometheus_reads_the_rules_beside_it(name: str) -> None:
    scrape = yaml.safe_load((DEPLOY / "prometheus" / name).read_text())
    assert [DEPLOY / "prometheus" / file for file in scrape["rule_files"]] == list(RULES)
    jobs = {job["job_name"] for job in scrape["scrape_configs"]}
    [watched] = {name for rule in rules() for name in re.findall(r'up\{job=~"([^"]+)"\}', rule["expr"])}
    assert all(re.fullmatch(watched, job) for job in jobs)


# -- CI ---------------------------------------------------------------------------------------------------------


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return found


def ran(path: Path) -> list[str]:
    """Return the commands of a workflow."""
    return [step["run"] for job in jobs(path).values() for step in job.get("steps", ()) if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_targets_of_the_makefile_and_nothing_else(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in ran(path):
        found = re.fullmatch(r"make ([a-z-]+)( \w+=\w+)?( +#.*)?", command)
        assert found is not None, command
        assert found[1] in targets


def test_ci_runs_all_that_is_run_before_a_commit() -> None:
    last = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    by_hand = set(re.findall(r"\b(lint|types|test)\b", last))
    assert by_hand <= {command.split()[1] for command in ran(ROOT / ".github" / "workflows" / "ci.yml")}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_use_actions_by_hash_and_no_right_that_a_job_does_not_need(path: Path) -> None:
    text = path.read_text()
    for action in re.findall(r"uses: (\S+.*)", text):
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}  # v[\d.]+|\./\.github/workflows/\w+\.yml", action), action
    assert yaml.safe_load(text)["permissions"] == {}
    for name, job in jobs(path).items():
        writes = {right for right, level in job["permissions"].items() if level == "write"}
        assert name == "image" or not writes
        assert "uses" in job or job["timeout-minutes"] <= (3000 if name == "staging" else 120)


def test_a_release_deploys_what_was_scanned_and_signed() -> None:
    chain = jobs(ROOT / ".github" / "workflows" / "release.yml")
    assert list(chain) == ["ci", "image", "staging", "canary", "promotion"]
    for before, (name, job) in zip(chain, list(chain.items())[1:], strict=False):
        assert before in job["needs"], name
    steps = [step.get("run", step.get("uses", "")).split("@")[0] for step in chain["image"]["steps"]]
    order = ["make images-check", "make image-push", "make scan-image", "make sign", "actions/attest-build-provenance"]
    assert [step for step in steps if step in order] == order
    for name in ("staging", "canary", "promotion"):
        assert chain[name]["env"]["IMAGE"] == "${{ needs.image.outputs.image }}"
        assert chain[name]["environment"] in {"staging", "production"}


def test_an_image_is_deployed_by_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = "ghcr.io/you/tombola@sha256:" + "ab" * 32
    (tmp_path / "image.json").write_text(json.dumps({"containerimage.digest": image.partition("@")[2]}))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    assert release.main(["digest", str(tmp_path / "image.json"), "--name", "ghcr.io/you/tombola"]) == 0
    assert capsys.readouterr().out == f"{image}\n"
    assert (tmp_path / "output").read_text().splitlines()[0] == f"image={image}"
    content = json.loads(release.kustomization("production", image))
    assert content["resources"] == ["../production"]
    assert content["images"] == [
        {"name": "tombola", "newName": "ghcr.io/you/tombola", "digest": image.partition("@")[2]}
    ]
    assert release.main(["render", "production", "ghcr.io/you/tombola:1.2.3"]) == 2
    assert "by digest" in capsys.readouterr().err
    assert release.main(["render", "nowhere", image]) == 2


KUBECTL = """#!/bin/sh
echo "$@" >> "$RECORD"
case "$*" in
  *"get deployment"*) printf '%s' "$PRESENT" ;;
  kustomize*) echo "kind: List" ;;
  *"rollout status"*) [ -z "$BROKEN" ] ;;
esac
"""


def test_a_deployment_that_does_not_become_ready_goes_back_to_the_image_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    old, new = ("host.example.org/tombola@sha256:" + digit * 64 for digit in "ab")

    def make(*arguments: str) -> int:
        command = ["make", "-f", str(ROOT / "Makefile"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    monkeypatch.setenv("PRESENT", "")
    assert make("deploy", f"IMAGE={new}") == 0
    assert make("rollback"), "there was no version before the first"
    monkeypatch.setenv("PRESENT", old)
    monkeypatch.setenv("BROKEN", "yes")
    assert make("deploy", f"IMAGE={new}") == 2
    monkeypatch.setenv("PRESENT", new)
    assert make("deploy", f"IMAGE={new}") == 2, "a repeated deployment keeps the image before"
    monkeypatch.setenv("BROKEN", "")
    (tmp_path / "record").write_text("")
    assert make("rollback", "OVERLAY=small") == 0
    ran = (tmp_path / "record").read_text().splitlines()
    assert [line for line in ran if "set image" in line] == [
        f"--namespace tombola set image deployment/tombola-ingress *={old}"
    ]


def test_a_deployment_takes_back_the_fields_that_an_undo_has_written() -> None:
    """The server refuses another value for a field that `kubectl scale` or `kubectl set image` wrote, unless forced."""
    command = ["make", "--dry-run", "deploy", "deploy-canary", "IMAGE=name@sha256:0"]
    recipes = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    applied = [line for line in recipes.splitlines() if " apply " in line]
    assert len(applied) == 2
    assert all("--server-side --force-conflicts" in line for line in applied), applied


def test_only_files_that_git_has_are_deployed() -> None:
    listed = subprocess.run(["git", "ls-files", "deploy"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    assert not [name for name in listed.stdout.split() if name.endswith((".env", ".pem", ".key"))]
