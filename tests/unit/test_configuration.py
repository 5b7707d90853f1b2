"""Facts stated in two places agree: settings, their documentation, pinned versions."""

import re
from pathlib import Path

import pytest

from api.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
# Compose's own; the file never mentions it.
OF_COMPOSE = {"COMPOSE_FILE"}


def documented() -> dict[str, str]:
    """Names and values in .env.example; of a duplicate, the last."""
    return dict(re.findall(r"^# ([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def in_compose() -> dict[str, str]:
    """Names and defaults in docker-compose.yml."""
    return dict(re.findall(r"\$\{([A-Z_]+)(?::?[-+]([^}]*))?\}", COMPOSE))


def test_every_setting_is_documented() -> None:
    """Every setting is in .env.example, and none is left there after its removal."""
    settings = {name.upper() for name in Settings.model_fields}
    assert set(documented()) == settings | set(in_compose()) | OF_COMPOSE


@pytest.mark.parametrize("name", ["PYTHON_IMAGE", "NGINX_IMAGE", "NODE_IMAGE", "OLLAMA_IMAGE"])
def test_an_image_is_pinned_to_one_version(name: str) -> None:
    """The Compose file, its documentation and the Dockerfiles name the same one, and never `latest`."""
    dockerfiles = "".join((ROOT / folder / "Dockerfile").read_text() for folder in ("api", "nginx", "ollama", "reader"))
    pinned = {
        documented()[name],
        *re.findall(rf"\$\{{{name}:-([^}}]*)\}}", COMPOSE),
        *re.findall(rf"ARG {name}=(.*)", dockerfiles),
    }
    assert len(pinned) == 1
    assert re.search(r":\d+\.\d+\.\d+", pinned.pop())


def test_the_built_ollama_is_the_pulled_one() -> None:
    """scripts/base-images compiles the version that the Compose file pins; the AMD overlay uses it too."""
    (version,) = re.findall(r"OLLAMA_VERSION=(.*)", (ROOT / "scripts/lib/base-images.sh").read_text())
    assert in_compose()["OLLAMA_IMAGE"] == f"ollama/ollama:{version}"
    assert f"ollama/ollama:{version}-rocm" in (ROOT / "ollama/gpu-amd.yml").read_text()


def test_uv_is_the_same_in_image_and_tests() -> None:
    """One version locks and installs."""
    files = ("api/Dockerfile", "reader/Dockerfile", "scripts/lib/uv.sh")
    versions = [re.findall(r"UV_VERSION=(\d\S*)", (ROOT / name).read_text()) for name in files]
    assert versions[0] == versions[1] == versions[2]
    assert len(versions[0]) == 1
