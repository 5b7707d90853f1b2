"""Images of programs for Node: a folder with main.mjs, package.json and its lock file."""

import os
from functools import cache
from pathlib import Path

from tests.support.stack import ROOT, run

DOCKERFILE = Path(__file__).with_name("npm.Dockerfile")


@cache
def build(image: str, folder: Path) -> None:
    """NODE_IMAGE and EXTRA_CA_FILE come from scripts/test."""
    certificates = ROOT / (os.environ.get("EXTRA_CA_FILE") or "api/no-extra-ca.pem")
    node = ("--build-arg", f"NODE_IMAGE={os.environ['NODE_IMAGE']}")
    secret = ("--secret", f"id=extra-ca,src={certificates}")
    run("docker", "build", "--quiet", "--tag", image, "--file", str(DOCKERFILE), *node, *secret, str(folder))
