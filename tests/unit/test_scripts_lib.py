"""The functions that the scripts share (scripts/lib), as far as testable without Docker or a package source."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = "bash cat chmod cmp cp dirname grep head id mkdir realpath sed sleep sort"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with the functions, and a PATH with only basic tools."""
    shutil.copytree(ROOT / "scripts/lib", tmp_path / "scripts/lib")
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS.split():
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def program(repository: Path, name: str, script: str) -> Path:
    path = repository / "bin" / name
    # It may be a link to the machine's own tool.
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)
    return path


def run(repository: Path, command: str, **shell: str) -> subprocess.CompletedProcess[str]:
    """Runs `command` in a shell that has sourced them."""
    parts = "for part in say apt base-images images nginx uv; do source scripts/lib/$part.sh; done"
    environment = {"PATH": f"{repository}/bin", "HOME": str(repository), **shell}
    script = f"set -euo pipefail; {parts}; {command}"
    return subprocess.run(["bash", "-c", script], cwd=repository, env=environment, capture_output=True, text=True)  # noqa: PLW1510


def test_an_error_has_its_remedy_and_ends_the_script(repository: Path) -> None:
    """On standard error, so that a pipe does not swallow it."""
    done = run(repository, 'die "It is broken." "Mend it."; echo went on')
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-2:] == ["\033[31merror:\033[0m It is broken.", "       Mend it."]


def test_it_waits_until_the_command_succeeds(repository: Path) -> None:
    """As long as it takes, and no longer."""
    done = run(repository, "is_so() { [ -e so ]; }; (sleep 0.5; echo >so) & wait_until 10 is_so && echo so")
    assert done.stdout == "so\n"


FETCH = "tries=0; fetch() { echo tried; [ $((tries += 1)) -ge %d ]; }; RETRY_SECONDS=0; with_retries fetch && echo done"


@pytest.mark.parametrize(("succeeds_at", "said"), [(1, "tried done"), (3, "tried tried tried done"), (4, "tried " * 3)])
def test_a_fetch_is_tried_three_times(repository: Path, succeeds_at: int, said: str) -> None:
    """A package mirror that fails for a moment does not end a run of ten minutes; one that is gone does."""
    done = run(repository, FETCH % succeeds_at)
    assert done.stdout.split() == said.split()
    assert (done.returncode == 0) == ("done" in said)


def test_it_does_not_wait_forever(repository: Path) -> None:
    """The caller reports what is wrong."""
    started = time.monotonic()
    assert run(repository, "wait_until 1 [ -e never ] || echo late").stdout == "late\n"
    assert time.monotonic() - started < 5


def test_without_apt_it_says_what_is_needed(repository: Path) -> None:
    """And what for."""
    done = run(repository, 'install_packages "to draw" pencil')
    assert done.returncode == 1
    assert "pencil is needed to draw, and this is neither Debian nor Ubuntu." in done.stderr


def test_packages_are_installed_after_their_list_is_new(repository: Path) -> None:
    """Without recommendations, and as root."""
    program(repository, "apt-get", 'echo "${@: -2}" >>asked; echo noise')
    program(repository, "sudo", 'echo sudo >>asked; exec "$@"')
    program(repository, "env", '[[ $1 = *=* ]] && shift; exec "$@"')
    program(repository, "id", "echo 1000")
    done = run(repository, 'install_packages "to draw" pencil')
    assert (done.returncode, done.stdout) == (0, "")
    asked = (repository / "asked").read_text().splitlines()
    assert asked == ["sudo", "Dpkg::Use-Pty=0 update", "sudo", "--no-install-recommends pencil"]


@pytest.mark.parametrize("name", ["PYTHON_IMAGE", "NGINX_IMAGE", "NODE_IMAGE", "OLLAMA_IMAGE"])
def test_the_default_of_an_image_is_composes(repository: Path, name: str) -> None:
    """An image's name and version."""
    assert run(repository, f"default_of {name}").stdout.count(":") == 1


def test_a_certificate_file_has_to_be_readable(repository: Path) -> None:
    """Otherwise the build would fail with an obscure message."""
    done = run(repository, "choose_ca_file", EXTRA_CA_FILE="missing.pem")
    assert done.returncode == 1
    assert "EXTRA_CA_FILE names missing.pem, which cannot be read." in done.stderr


def test_a_certificate_file_has_to_be_in_this_folder(repository: Path) -> None:
    """Docker's builder may not read others."""
    done = run(repository, "choose_ca_file", EXTRA_CA_FILE="/etc/hostname")
    assert done.returncode == 1
    assert "is not in this folder" in done.stderr


def test_the_machines_certificates_are_copied_where_there_are_some(repository: Path) -> None:
    """And named for the builds; the copy is renewed when they change."""
    bundle = repository / "bundle.pem"
    for content in ("one", "two"):
        bundle.write_text(content)
        done = run(repository, f'MACHINE_CA_BUNDLE={bundle}; choose_ca_file; echo "$EXTRA_CA_FILE"')
        assert done.stdout == ".extra-ca.pem\n"
        assert (repository / ".extra-ca.pem").read_text() == content


@pytest.fixture
def docker(repository: Path) -> Path:
    """A Docker that can pull only `there:1`; its arguments are logged to `asked`."""
    maker = repository / "scripts/base-images"
    maker.write_text("#!/bin/bash\necho made >>asked\n")
    maker.chmod(0o755)
    return program(repository, "docker", 'echo "$@" >>asked; [ "${@: -1}" = there:1 ]')


CHOOSE = 'MACHINE_CA_BUNDLE=/none; choose_images; echo "${PYTHON_IMAGE:-} ${NGINX_IMAGE:-} ${OLLAMA_IMAGE:-}"'


def test_images_that_can_be_pulled_are_not_built(repository: Path, docker: Path) -> None:
    """Unset ones have Compose's defaults."""
    assert docker.exists()
    done = run(repository, CHOOSE, NGINX_IMAGE="there:1")
    assert done.stdout == " there:1 \n"
    assert "made" not in (repository / "asked").read_text()


def test_images_are_built_where_no_registry_is_reachable(repository: Path, docker: Path) -> None:
    """All but those that are set."""
    assert docker.exists()
    done = run(repository, CHOOSE, OLLAMA_IMAGE="mine:1")
    assert done.stdout == "localchat-base/python:3.14 localchat-base/nginx:1.30 mine:1\n"
    assert (repository / "asked").read_text().endswith("made\n")


def test_an_image_that_is_set_and_missing_is_an_error(repository: Path, docker: Path) -> None:
    """Not silently replaced."""
    assert docker.exists()
    done = run(repository, CHOOSE, NGINX_IMAGE="missing:1")
    assert done.returncode == 1
    assert "NGINX_IMAGE=missing:1 cannot be pulled" in done.stderr


def test_a_uv_of_the_system_is_used(repository: Path) -> None:
    """Nothing is fetched."""
    program(repository, "uv", "echo system")
    assert run(repository, "ensure_uv; uv").stdout == "system\n"


def test_a_uv_that_was_fetched_is_used(repository: Path) -> None:
    """Of the pinned version."""
    fetched = repository / "cache/localchat/uv-$UV_VERSION/bin"
    make = f'mkdir -p "{fetched}"; cp bin/uv-of-ours "{fetched}/uv"'
    program(repository, "uv-of-ours", "echo fetched")
    assert run(repository, f"{make}; ensure_uv; uv", XDG_CACHE_HOME=f"{repository}/cache").stdout == "fetched\n"


def nginx(repository: Path, version: str, *, module: bool = True) -> Path:
    path = program(repository, "nginx", f"echo 'nginx version: nginx/{version} (x)' >&2")
    if module:
        modules = repository / "lib/nginx/modules"
        modules.mkdir(parents=True)
        (modules / "ngx_http_js_module.so").touch()
    return path


@pytest.mark.parametrize(
    ("version", "module", "can"),
    [
        ("1.27.4", True, True),
        ("1.30.6", True, True),
        ("1.100.0", True, True),
        ("1.30.6", False, False),
        ("1.22.1", True, False),
        ("1.9.0", True, False),
    ],
)
def test_an_nginx_has_to_be_new_enough(repository: Path, version: str, *, module: bool, can: bool) -> None:
    """And to have its JavaScript module."""
    path = nginx(repository, version, module=module)
    assert run(repository, f"can_read_ours {path}").returncode == int(not can)


def test_an_nginx_that_is_named_and_too_old_is_an_error(repository: Path) -> None:
    """Not a reason to skip the tests."""
    done = run(repository, "ensure_nginx", NGINX=str(nginx(repository, "1.22.1")))
    assert done.returncode == 1
    assert "is older than 1.27.4" in done.stderr


def test_the_systems_nginx_is_used(repository: Path) -> None:
    """Nothing is fetched."""
    path = nginx(repository, "1.30.6")
    assert run(repository, "ensure_nginx; echo $NGINX").stdout == f"{path}\n"


def test_no_tool_of_the_machine_is_used_here(repository: Path) -> None:
    """The control: the functions see only the programs above."""
    assert run(repository, "command -v docker apt-get uv nginx mmdebstrap || true").stdout == ""
