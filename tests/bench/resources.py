"""The containers' resource usage: CPU from their cgroups, memory from their processes."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.stack import inspect, run

CGROUPS = Path("/sys/fs/cgroup")
# All processes but the shell itself, as their own user, which needs no privilege.
PSS_OF_ALL = 'for p in /proc/[0-9]*; do [ "$p" = "/proc/$$" ] || cat "$p/smaps_rollup" 2>/dev/null; done'
SAMPLE_SECONDS = 0.02


class Cgroup:
    """A container's control group, in version 1 or 2."""

    def __init__(self, container: str) -> None:
        process = inspect(container)["State"]["Pid"]
        lines = [line.split(":", 2) for line in Path(f"/proc/{process}/cgroup").read_text().splitlines()]
        paths = {controller: path for _, controllers, path in lines for controller in controllers.split(",")}
        self._is_version_1 = "cpuacct" in paths
        self._folder = CGROUPS / "cpuacct" / paths["cpuacct"][1:] if self._is_version_1 else CGROUPS / paths[""][1:]

    def cpu_seconds(self) -> float:
        """Of everything that ever ran in it, including ended processes and threads."""
        return _seconds_in(self._folder, is_version_1=self._is_version_1)

    def own_memory_mb(self) -> float:
        """Its processes' anonymous and shared memory, without files."""
        found = 0
        for process in (self._folder / "cgroup.procs").read_text().split():
            try:
                status = Path(f"/proc/{process}/status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found += sum(int(kib) for kib in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", status, re.MULTILINE))
        return found * 1024 / 1e6


def pss_mb(container: str) -> float:
    """The container's resident memory; shared pages are divided among their processes."""
    kib = re.findall(r"^Pss:\s+(\d+) kB", run("docker", "exec", container, "sh", "-c", PSS_OF_ALL), re.MULTILINE)
    return sum(map(int, kib)) * 1024 / 1e6


@dataclass
class Growth:
    megabytes: float = 0.0


@contextmanager
def memory_growth(group: Cgroup) -> Iterator[Growth]:
    """How much its processes' memory grew at its peak."""
    growth = Growth()
    before = group.own_memory_mb()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            growth.megabytes = max(growth.megabytes, group.own_memory_mb() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield growth
    finally:
        ended.set()
        watcher.join()


@dataclass
class Usage:
    """CPU seconds by consumer; `others` is everything unmeasured on this machine."""

    seconds: float
    cpu_seconds: dict[str, float]

    @property
    def other_cores(self) -> float:
        """Cores used by something else, on average: noise."""
        return max(0.0, self.cpu_seconds["others"]) / self.seconds


@contextmanager
def cpu_used(groups: dict[str, list[Cgroup]]) -> Iterator[Usage]:
    """Filled in at the end."""

    def read() -> dict[str, float]:
        return {name: sum(group.cpu_seconds() for group in members) for name, members in groups.items()}

    started, busy, before = time.monotonic(), _busy_seconds(), read()
    usage = Usage(0, {})
    yield usage
    usage.cpu_seconds |= {name: seconds - before[name] for name, seconds in read().items()}
    usage.cpu_seconds["others"] = _busy_seconds() - busy - sum(usage.cpu_seconds.values())
    usage.seconds = time.monotonic() - started


def _busy_seconds() -> float:
    """Of all cores of this machine. Not /proc/stat, whose ticks miss work in short bursts."""
    if (CGROUPS / "cpuacct").exists():
        return _seconds_in(CGROUPS / "cpuacct", is_version_1=True)
    return _seconds_in(CGROUPS, is_version_1=False)


def _seconds_in(folder: Path, *, is_version_1: bool) -> float:
    if is_version_1:
        return int((folder / "cpuacct.usage").read_text()) / 1e9
    (microseconds,) = re.findall(r"^usage_usec (\d+)", (folder / "cpu.stat").read_text(), re.MULTILINE)
    return int(microseconds) / 1e6
