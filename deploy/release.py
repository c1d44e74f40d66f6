#!/usr/bin/env python3
"""Steps of a release that are more than one command.

    release.py render production ghcr.io/you/tombola@sha256:...   print an overlay, or `canary`, with this image
    release.py digest image.json --name ghcr.io/you/tombola       print by digest the image that buildx has pushed

Only the standard library and kubectl.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

KUBERNETES = Path(__file__).parent / "kubernetes"
PINNED = re.compile(r"(?P<name>[\w.-]+(:\d+)?(/[\w.-]+)+)@(?P<digest>sha256:[0-9a-f]{64})")


def kustomization(overlay: str, image: str) -> str:
    """Return a kustomization that puts an image into an overlay. Raises ``ValueError`` if it has no digest."""
    found = PINNED.fullmatch(image)
    if found is None:
        raise ValueError(f"{image}: give the image by digest, as name@sha256:...")
    return json.dumps(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [f"../{overlay}"],
            "images": [{"name": "tombola", "newName": found["name"], "digest": found["digest"]}],
        }
    )


def render(overlay: str, image: str, kubectl: str) -> int:
    """Print the manifests of an overlay with an image. Return the exit status."""
    folder = KUBERNETES if overlay == "canary" else KUBERNETES / "overlays"
    if not (folder / overlay / "kustomization.yaml").is_file():
        print(f"{overlay}: there is no such overlay", file=sys.stderr)
        return 2
    try:
        text = kustomization(overlay, image)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    # Kustomize reads no file outside of a folder's neighbours, so the new one is beside the overlay.
    with tempfile.TemporaryDirectory(prefix=".release-", dir=folder) as directory:
        Path(directory, "kustomization.yaml").write_text(text)
        return subprocess.run([*kubectl.split(), "kustomize", directory], check=False).returncode


def digest(metadata: Path, name: str) -> int:
    """Print a pushed image by its digest, also for the next steps of a workflow. Return the exit status."""
    image = f"{name}@{json.loads(metadata.read_text())['containerimage.digest']}"
    if not PINNED.fullmatch(image):
        print(f"{image}: no digest", file=sys.stderr)
        return 1
    print(image)
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a") as file:
            file.write(f"image={image}\ndigest={image.partition('@')[2]}\n")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(description="Steps of a release.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    rendering = verbs.add_parser("render", help="print the manifests of an overlay with an image")
    rendering.add_argument("overlay")
    rendering.add_argument("image")
    rendering.add_argument("--kubectl", default="kubectl", help="command of kubectl")
    digesting = verbs.add_parser("digest", help="print the image that buildx has pushed")
    digesting.add_argument("metadata", type=Path)
    digesting.add_argument("--name", required=True)
    given = parser.parse_args(arguments)
    if given.verb == "render":
        return render(given.overlay, given.image, given.kubectl)
    return digest(given.metadata, given.name)


if __name__ == "__main__":
    sys.exit(main())
