"""Facts about the machine and the versions, without which a run's figures mean little."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.gateways import Gateway
from tests.support.stack import inspect, run


def facts(gateways: list[Gateway], plan: dict[str, Any]) -> dict[str, Any]:
    return {
        "revision": run("git", "rev-parse", "HEAD").strip(),
        "changed_files": run("git", "status", "--porcelain").splitlines(),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "cpu": _first(r"^model name\s*: (.*)", "/proc/cpuinfo"),
            "memory_gb": round(int(_first(r"^MemTotal:\s+(\d+)", "/proc/meminfo")) / 1e6, 1),
            "kernel": platform.release(),
            "docker": run("docker", "version", "--format", "{{.Server.Version}}").strip(),
        },
        "images": {
            f"{gateway.name}: {name}": _image(container)
            for gateway in gateways
            for name, container in gateway.containers.items()
        },
        "plan": plan,
    }


def _first(pattern: str, path: str) -> str:
    found = re.search(pattern, Path(path).read_text(), re.MULTILINE)
    return found[1] if found else "0"


def _image(container: str) -> dict[str, Any]:
    inspected = inspect(container)
    image = inspect(inspected["Image"])
    labels = image["Config"].get("Labels") or {}
    return {
        "name": inspected["Config"]["Image"],
        "id": inspected["Image"],
        "mb": image["Size"] / 1e6,
        "versions": labels.get("localchat.versions", ""),
    }
