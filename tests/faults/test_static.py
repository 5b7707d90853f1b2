"""Linters find nothing unexplained in nginx's configuration, the Dockerfiles, the Python and the Compose files."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import ROOT, Stack, run

# A rule and where it is broken. An entry that is no longer found fails too: it excuses nothing.
Findings = set[tuple[str, str]]
Explained = dict[tuple[str, str], str]


def output(*command: str) -> str:
    """A linter's output; its exit status only says that it found something."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def gixy(configuration: Path, version: str) -> Findings:
    """By file name: in nginx's dump each file has the path it was read from."""
    found = json.loads(output("gixy", "--format", "json", "--nginx-version", version, str(configuration)))
    main = configuration.name
    return {(one["plugin"], Path(one["file"]).name.replace(main, "nginx.conf")) for one in found}


@pytest.fixture
def dump(stack: Stack, tmp_path: Path) -> Path:
    """The configuration as nginx in the container reads it, with every file and setting."""
    file = tmp_path / "dump.conf"
    file.write_text(stack.run("exec", "--no-TTY", "nginx", "nginx", "-T", "-q", "-c", "/tmp/nginx/nginx.conf"))
    return file


def test_gixy_finds_nothing_in_nginx(stack: Stack, dump: Path) -> None:
    """Neither in the configuration, nor among the known vulnerabilities of the nginx that runs it."""
    version = stack.run("exec", "--no-TTY", "nginx", "sh", "-c", "nginx -v 2>&1").strip().rpartition("/")[2]
    assert "proxy_pass http://ollama;" in dump.read_text()
    assert gixy(dump, version) == set()


@pytest.mark.parametrize(
    ("sound", "unsound", "rule"),
    [
        ("location /_stored/ {", "location /_stored {", "alias_traversal"),
        (
            "proxy_set_header Host $host$is_request_port$request_port;",
            "proxy_set_header Host $http_host;",
            "host_spoofing",
        ),
        ("proxy_pass http://api;", "proxy_pass http://$arg_to;", "ssrf"),
    ],
)
def test_gixy_finds_what_is_unsound(dump: Path, sound: str, unsound: str, rule: str) -> None:
    """The control: one line changed in the same configuration."""
    assert sound in dump.read_text()
    dump.write_text(dump.read_text().replace(sound, unsound))
    assert rule in {found for found, _ in gixy(dump, "1.30.6")}


def test_gixy_knows_the_faults_of_an_older_nginx(dump: Path) -> None:
    """The control: the same configuration in a version that lacks two fixes."""
    assert "nginx_cves" in {rule for rule, _ in gixy(dump, "1.30.1")}


BASE_IMAGES = "scripts/base-images.d"
DOCKERFILES: Explained = {
    ("DL3008", f"{BASE_IMAGES}/{name}.Dockerfile"): (
        "Made from one suite of Debian as it is that day, which keeps no older versions to pin."
    )
    for name in ("nginx", "node", "ollama", "python")
}


def hadolint(*dockerfiles: str) -> Findings:
    return {(one["code"], one["file"]) for one in json.loads(output("hadolint", "--format", "json", *dockerfiles))}


def test_hadolint_finds_nothing_unexplained() -> None:
    """In any Dockerfile of the repository, at any severity."""
    dockerfiles = [name for name in run("git", "ls-files", "*Dockerfile*").splitlines() if name]
    assert {"api/Dockerfile", "nginx/Dockerfile", "ollama/Dockerfile", "reader/Dockerfile"} <= set(dockerfiles)
    assert hadolint(*dockerfiles) == DOCKERFILES.keys()


def test_hadolint_finds_what_is_unsound(tmp_path: Path) -> None:
    """The control."""
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM debian:latest\nRUN sudo apt-get install curl\n")
    assert {"DL3007", "DL3004"} <= {rule for rule, _ in hadolint(str(dockerfile))}


NARROWS = "It narrows a type for mypy, and guards nothing."
PYTHON: Explained = {
    ("B101", "api/accounts/routes.py"): NARROWS,
    ("B101", "api/database/changes.py"): NARROWS,
    ("B101", "api/files/receive.py"): NARROWS,
    ("B104", "api/commands/users.py"): "It is read out of BIND, to print an address that works.",
    ("B105", "api/settings.py"): "The public default, which is refused on anything but loopback.",
    ("B108", "api/gunicorn.conf.py"): "gunicorn makes a file of its own there, with a name that nobody can guess.",
    ("B101", "reader/apart.py"): NARROWS,
    ("B404", "ollama/starter_models.py"): "pip, to fetch the starter model: a list of arguments, and no shell.",
    ("B603", "ollama/starter_models.py"): "The same; none of them comes from outside.",
}


def bandit(*folders: str) -> Findings:
    report: dict[str, Any] = json.loads(output("bandit", "--quiet", "--format", "json", "--recursive", *folders))
    assert report["errors"] == []
    return {(one["test_id"], one["filename"]) for one in report["results"]}


def test_bandit_finds_nothing_unexplained() -> None:
    """At any severity, in the code that runs in containers."""
    assert bandit("api", "ollama", "reader") == PYTHON.keys()


def test_bandit_finds_what_is_unsound(tmp_path: Path) -> None:
    """The control."""
    (tmp_path / "x.py").write_text("import subprocess, sys\nsubprocess.call(sys.argv[1], shell=True)\n")
    assert "B602" in {rule for rule, _ in bandit(str(tmp_path))}


def compose_config(*overlays: str) -> subprocess.CompletedProcess[str]:
    files = [option for file in ("docker-compose.yml", *overlays) for option in ("--file", file)]
    command = ["docker", "compose", *files, "config", "--quiet"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


OVERLAYS = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "ollama").glob("gpu-*.yml"))]


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("ollama_url", ["", "http://192.168.1.20:11434"])
@pytest.mark.parametrize("overlays", [(), *((overlay,) for overlay in OVERLAYS)])
def test_compose_reads_its_files_without_a_word(
    monkeypatch: pytest.MonkeyPatch, overlays: tuple[str, ...], ollama_url: str
) -> None:
    """With every setting unset, with an Ollama elsewhere, and with each GPU overlay."""
    monkeypatch.setenv("OLLAMA_URL", ollama_url)
    checked = compose_config(*overlays)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_there_is_an_overlay_for_both_makes_of_gpu() -> None:
    """Each was checked above."""
    assert OVERLAYS == ["ollama/gpu-amd.yml", "ollama/gpu-nvidia.yml"]


def test_compose_refuses_a_key_it_does_not_know(tmp_path: Path) -> None:
    """The control."""
    overlay = tmp_path / "overlay.yml"
    overlay.write_text("services: {ollama: {read_onyl: true}}\n")
    assert compose_config(str(overlay)).returncode != 0
