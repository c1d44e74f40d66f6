#!/usr/bin/env python3
"""Pin the images of `images.lock` by digest.

    images.py lock     ask the registries, and write the digests of the tags
    images.py check    fail if an image has no digest

Only the standard library: it runs before anything is installed. A digest is that of the list of all architectures.
"""

import argparse
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

LOCK = Path(__file__).with_name("images.lock")
LINE = re.compile(r"^(?P<name>[A-Z]+_IMAGE)=(?P<host>[^/\s]+)/(?P<path>[^:@\s]+):(?P<tag>[^@\s]+)(?P<digest>@\S+)?$")
DIGEST = re.compile(r"@?sha256:[0-9a-f]{64}")
SECONDS = 30.0
LARGEST = 1 << 20
"""Bytes of an answer that are read at most."""
LISTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class RegistryError(Exception):
    """A registry does not answer, or its answer has no digest."""


def images(text: str) -> Iterator[re.Match[str]]:
    """Yield the images of a lock file. Raises ``ValueError`` for a line of another form."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            found = LINE.match(line)
            if found is None:
                raise ValueError(line)
            yield found


def digest(host: str, path: str, tag: str) -> str:
    """Return the digest that a registry has for a tag. Raises ``RegistryError``."""
    # Docker Hub's name in references is not the name of its registry.
    server = "registry-1.docker.io" if host == "docker.io" else host
    scheme = "http" if host.startswith("127.0.0.1:") else "https"
    asked = urllib.request.Request(  # noqa: S310 -- the lock file names the registry
        f"{scheme}://{server}/v2/{path}/manifests/{tag}", headers={"Accept": ", ".join(LISTS)}, method="HEAD"
    )
    try:
        try:
            answer = urllib.request.urlopen(asked, timeout=SECONDS)  # noqa: S310
        except urllib.error.HTTPError as refusal:
            if refusal.code != 401:
                raise
            asked.add_header("Authorization", f"Bearer {_token(refusal.headers.get('WWW-Authenticate', ''))}")
            answer = urllib.request.urlopen(asked, timeout=SECONDS)  # noqa: S310
        with answer:
            found = str(answer.headers.get("Docker-Content-Digest", ""))
    except (OSError, ValueError, KeyError) as problem:
        raise RegistryError(f"{host}/{path}:{tag}: {problem}") from None
    if not DIGEST.fullmatch(found):
        raise RegistryError(f"{host}/{path}:{tag}: no digest")
    return found


def _token(challenge: str) -> str:
    """Return the token for which a registry's challenge asks, as anybody gets it."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    query = urllib.parse.urlencode({key: asked[key] for key in ("service", "scope") if key in asked})
    with urllib.request.urlopen(f"{asked['realm']}?{query}", timeout=SECONDS) as answer:  # noqa: S310
        return str(json.loads(answer.read(LARGEST))["token"])


def locked(text: str) -> str:
    """Return a lock file with the digests that its tags have now. Raises ``RegistryError``."""
    for image in list(images(text)):
        fields = image["host"], image["path"], image["tag"]
        text = text.replace(image[0], "{}={}/{}:{}@{}".format(image["name"], *fields, digest(*fields)))
    return text


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(description="Pin the images of images.lock by digest.")
    parser.add_argument("verb", choices=("lock", "check"))
    parser.add_argument("--file", type=Path, default=LOCK)
    given = parser.parse_args(arguments)
    text = given.file.read_text()
    if given.verb == "check":
        missing = [image["name"] for image in images(text) if not DIGEST.fullmatch(image["digest"] or "")]
        print("\n".join(f"{name} has no digest: make images-lock" for name in missing), end="\n" * bool(missing))
        return bool(missing)
    try:
        given.file.write_text(locked(text))
    except RegistryError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
