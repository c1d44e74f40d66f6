#!/usr/bin/env python3
"""Write the chart's templates from the overlays of deploy/kubernetes: `make chart`.

Kustomize renders each overlay. Places that the chart's values set become expressions. An object that only some of the
overlays have gets a condition. So the chart has no manifest of its own, and can't differ from the overlays.
"""

import argparse
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

FOLDER = Path(__file__).parent / "tombola" / "templates"
OVERLAYS = Path(__file__).parents[1] / "kubernetes" / "overlays"
NAMES = ("production", "custom-metrics", "small")
HEADER = "{{- /* Written by `make chart` from deploy/kubernetes: change it there. */ -}}\n"
IMAGE = '{{ required "image: name@sha256:..." .Values.image | toJson }}'
PORTS = (
    "{{ $ports := list }}{{ range .Values.network.egressPorts }}"
    '{{ $ports = append $ports (dict "protocol" "TCP" "port" (int .)) }}{{ end }}{{ $ports | toJson }}'
)
OPTIONAL = re.compile(r"^( *)(\w+): '\{\{\? (\S+) \}\}'$", re.MULTILINE)
"""A key that is left out if its value is empty."""


def rendered(overlay: str, kubectl: str) -> list[Any]:
    """Return the objects of an overlay."""
    command = [*kubectl.split(), "kustomize", str(OVERLAYS / overlay)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 -- ours
    return list(yaml.safe_load_all(text))


def value(name: str) -> str:
    """Return the expression of a value."""
    return f"{{{{ .Values.{name} | toJson }}}}"


def _pod(spec: Any, role: str) -> None:
    [container] = spec["containers"]
    container["image"] = IMAGE
    if role in {"ingress", "worker", "scheduler", "web"}:
        container["resources"] = value(f"resources.{role}")
    for volume in spec["volumes"]:
        if "secret" in volume:
            volume["secret"]["secretName"] = value("secretName")


def _deployment(each: Any) -> None:
    _pod(each["spec"]["template"]["spec"], each["metadata"]["name"].removeprefix("tombola-"))


def _backup(each: Any) -> None:
    spec = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    _pod(spec, "backup")
    each["spec"]["schedule"] = value("backup.schedule")
    spec["containers"][0]["env"] = [{"name": "BACKUP_RECIPIENT", "value": value("backup.recipient")}]


def _volume(each: Any) -> None:
    each["spec"]["resources"]["requests"]["storage"] = value("backup.storage")
    each["spec"]["storageClassName"] = "{{? .Values.backup.storageClass }}"


def _settings(each: Any) -> None:
    each["data"] = value("settings")


def _account(each: Any) -> None:
    each["imagePullSecrets"] = "{{? .Values.imagePullSecrets }}"


def _front(each: Any) -> None:
    host, secret = value("front.host"), value("front.tlsSecret")
    each["metadata"]["annotations"] = "{{? .Values.front.annotations }}"
    each["spec"]["ingressClassName"] = "{{? .Values.front.className }}"
    each["spec"]["tls"] = [{"hosts": [host], "secretName": secret}]
    each["spec"]["rules"][0]["host"] = host


def _network(each: Any) -> None:
    [rule] = each["spec"]["ingress"]
    for source, name in zip(rule["from"], ("frontNamespace", "prometheusNamespace"), strict=True):
        source["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] = value(f"network.{name}")
    each["spec"]["egress"][1]["ports"] = PORTS


def _scaled(each: Any) -> None:
    role = each["metadata"]["name"].removeprefix("tombola-")
    ending = "Count" if each["kind"] == "ScaledObject" else "s"
    for name in ("min", "max"):
        each["spec"][f"{name}Replica{ending}"] = value(f"autoscaling.{role}.{name}")
    for trigger in each["spec"].get("triggers", ()):
        if trigger["type"] == "prometheus":
            trigger["metadata"]["serverAddress"] = value("prometheusUrl")


CHANGES: dict[str, Callable[[Any], None]] = {
    "ConfigMap": _settings,
    "CronJob": _backup,
    "Deployment": _deployment,
    "HorizontalPodAutoscaler": _scaled,
    "Ingress": _front,
    "NetworkPolicy": _network,
    "PersistentVolumeClaim": _volume,
    "ScaledObject": _scaled,
    "ServiceAccount": _account,
}
"""Kind of an object -> the change that puts expressions where the chart's values belong."""


def template(each: Any) -> str:
    """Return an object as text of a template."""
    CHANGES.get(each["kind"], lambda _: None)(each)
    each["metadata"]["namespace"] = "{{ .Release.Namespace }}"
    text: str = yaml.safe_dump(each, sort_keys=False, width=10_000)
    text = OPTIONAL.sub(r"\1{{- with \3 }}\n\1\2: {{ . | toJson }}\n\1{{- end }}", text)
    return re.sub(r"'(\{\{.*\}\})'", r"\1", text)


def chart(kubectl: str) -> dict[str, str]:
    """Return the templates: name of the file -> text."""
    seen: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for overlay in NAMES:
        for each in rendered(overlay, kubectl):
            if each["kind"] != "Namespace":  # it is made before the secret, and so before the chart
                text = template(each)
                kinds[text] = each["kind"]
                seen.setdefault(text, []).append(overlay)
    files: dict[str, str] = {}
    for text, overlays in sorted(seen.items(), key=lambda item: kinds[item[0]]):
        names = " ".join(json.dumps(name) for name in overlays)
        everywhere = len(overlays) == len(NAMES)
        condition = "" if everywhere else f"{{{{- if has .Values.overlay (list {names}) }}}}\n"
        name = f"{kinds[text].lower()}.yaml"
        files[name] = files.get(name, HEADER) + f"{condition}---\n{text}" + ("" if everywhere else "{{- end }}\n")
    return files


def main() -> None:
    """Write the templates."""
    parser = argparse.ArgumentParser(description="Write the chart's templates from the overlays of Kustomize.")
    parser.add_argument("--kubectl", default="kubectl", help="command of kubectl")
    files = chart(parser.parse_args().kubectl)
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.yaml"):
        path.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
