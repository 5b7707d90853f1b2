"""nginx's configuration as in its container: filled in by the real entrypoint.sh, read by a real parser."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import crossplane

ROOT = Path(__file__).parents[2]
ENTRYPOINT = ROOT / "nginx/entrypoint.sh"
# Compose's defaults.
SETTINGS = {
    "OLLAMA_URL": "http://ollama:11434",
    "OLLAMA_TIMEOUT_SECONDS": "600",
    "ALLOWED_HOSTS": "",
    "CORS_ORIGINS": "http://localhost:3000",
    "MAX_BODY_MB": "32",
    "MAX_UPLOAD_MB": "100",
}
GIBIBYTE = 1024 * 1024 * 1024
# Fakes of the commands that inspect the machine, with their output.
MACHINE = {"nproc": "2", "df": f"tmpfs {GIBIBYTE // 1024} 0 0 0% /tmp", "getent": "172.18.0.4      STREAM ollama"}


@dataclass
class Container:
    """A folder that entrypoint.sh treats as the container's root."""

    root: Path
    memory_bytes: int = 2 * GIBIBYTE
    machine: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "nginx", self.root / "etc/nginx/localchat")
        self.write("usr/share/localchat/page/index.html", "the page")
        self.write("sys/fs/cgroup/memory.max", str(self.memory_bytes))
        self.write("etc/hosts", "127.0.0.1 localhost\n172.17.0.1 host.docker.internal\n")
        self.write("tmp/.keep", "")
        for command, words in {**MACHINE, **self.machine}.items():
            self.write(f"bin/{command}", f"#!/bin/sh\necho '{words}'\n").chmod(0o755)

    def write(self, name: str, content: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def run(self, *arguments: str, open_files: str = "65536", **settings: str) -> subprocess.CompletedProcess[bytes]:
        """Runs entrypoint.sh with the default settings and these."""
        path = f"{self.root}/bin:{os.environ['PATH']}"
        environment = {"PATH": path, "LOCALCHAT_ROOT": str(self.root), **SETTINGS, **settings}
        limit = f'ulimit -n {open_files} 2>/dev/null; exec sh "$@"'
        command = ["sh", "-c", limit, "sh", str(ENTRYPOINT), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, check=False)

    def render(self, open_files: str = "65536", **settings: str) -> Path:
        """The folder with the generated configuration."""
        done = self.run("render", open_files=open_files, **settings)
        assert done.returncode == 0, done.stderr.decode()
        return self.root / "tmp/nginx"

    def refusal(self, **settings: str) -> str:
        """Why it refuses to start; empty if it would start."""
        done = self.run("render", **settings)
        return done.stderr.decode() if done.returncode else ""


@dataclass
class Directive:
    """A line of the configuration or, if it contains directives, a block."""

    name: str
    args: tuple[str, ...]
    inside: list["Directive"]
    around: "Directive | None"

    @classmethod
    def read(cls, parsed: Mapping[str, object], around: "Directive | None" = None) -> "Directive":
        directive = cls(str(parsed["directive"]), tuple(parsed["args"]), [], around)  # type: ignore[arg-type]
        directive.inside += [cls.read(line, directive) for line in parsed.get("block", ())]  # type: ignore[attr-defined]
        return directive

    @property
    def title(self) -> str:
        return " ".join(self.args)

    def own(self, name: str) -> list["Directive"]:
        return [directive for directive in self.inside if directive.name == name]

    def own_title(self, name: str) -> str:
        """The arguments of the directive with this name; empty if there is none."""
        return next((directive.title for directive in self.own(name)), "")

    def walk(self) -> Iterator["Directive"]:
        yield self
        for directive in self.inside:
            yield from directive.walk()

    def effective(self, name: str) -> list[tuple[str, ...]]:
        """The arguments in effect: the block's own or, only if it has none, inherited ones."""
        if own := self.own(name):
            return [directive.args for directive in own]
        return self.around.effective(name) if self.around else []

    def value(self, name: str) -> str:
        """For a directive that occurs once; empty if not set."""
        (args,) = self.effective(name) or [("",)]
        return " ".join(args)


class Configuration:
    """All files in one tree."""

    def __init__(self, folder: Path) -> None:
        parsed = crossplane.parse(str(folder / "nginx.conf"), combine=True, catch_errors=False)
        (file,) = parsed["config"]
        self.root = Directive("main", (), [], None)
        self.root.inside += [Directive.read(line, self.root) for line in file["parsed"]]
        (self.http,) = self.root.own("http")
        self.unknown_hosts, self.server = self.http.own("server")

    @property
    def locations(self) -> dict[str, Directive]:
        return {location.title: location for location in self.server.own("location")}

    def leading_to(self, upstream: str) -> dict[str, Directive]:
        """The locations that proxy to it."""
        return {name: one for name, one in self.locations.items() if one.own_title("proxy_pass") == upstream}

    def map(self, variable: str) -> "Map":
        (found,) = (one for one in self.http.own("map") if one.args[1] == variable)
        return Map([(line.name, line.args[0]) for line in found.inside])


@dataclass
class Map:
    """nginx's `map`: exact names first, then patterns in order, then the default."""

    lines: list[tuple[str, str]]

    def __getitem__(self, key: str) -> str:
        names = {name.lower(): value for name, value in self.lines if not name.startswith("~")}
        if key.lower() in names and key != "default":
            return names[key.lower()]
        for name, value in self.lines:
            flags = re.IGNORECASE if name.startswith("~*") else re.NOFLAG
            pattern = name.lstrip("~*").replace("(?<", "(?P<")
            if name.startswith("~") and (found := re.search(pattern, key, flags)):
                return found.groupdict().get(value.removeprefix("$"), value)
        return names.get("default", "")
