"""Which base images the scripts choose (scripts/lib/images.sh), as far as testable without Docker."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHOOSE = """
set -eu
for part in say base-images images; do source scripts/lib/$part.sh; done
choose_images
printf '%s %s' "${PYTHON_IMAGE:-}" "${NODE_IMAGE:-}"
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the files that the choice reads; building images is a no-op."""
    shutil.copytree(ROOT / "scripts/lib", tmp_path / "scripts/lib")
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    maker = tmp_path / "scripts/base-images"
    maker.write_text("#!/bin/sh\n")
    maker.chmod(0o755)
    return tmp_path


def chosen(repository: Path, **settings: str) -> list[str]:
    """PYTHON_IMAGE and NODE_IMAGE."""
    environment = {"PATH": os.environ["PATH"], **settings}
    return subprocess.check_output(["bash", "-c", CHOOSE], cwd=repository, env=environment, text=True).split(" ")


def test_a_setup_from_before_the_page_gets_its_node_image(repository: Path) -> None:
    """Its .env names the images built here, but none for Node."""
    made_here = chosen(repository, PYTHON_IMAGE="localchat-base/python:3.14")
    assert made_here == ["localchat-base/python:3.14", "localchat-base/node:24"]


def test_a_node_image_that_is_set_stays(repository: Path) -> None:
    """Even next to images built here."""
    mine = chosen(repository, PYTHON_IMAGE="localchat-base/python:3.14", NODE_IMAGE="mine/node:24")
    assert mine == ["localchat-base/python:3.14", "mine/node:24"]
