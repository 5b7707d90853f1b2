"""Kills processes of a container."""

from tests.support.stack import Stack, run

# Finds processes from the host: a container's process 1 cannot be killed from inside.
KILL = """
import os, signal, sys
from pathlib import Path
master, which = int(sys.argv[1]), sys.argv[2]
def parent(pid):
    try: return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError: return None  # it has exited
children = [int(p.name) for p in Path("/proc").glob("[0-9]*") if p.name != "1" and parent(p.name) == master]
for pid in [master] if which == "master" else children[:1] if which == "one worker" else children:
    os.kill(pid, signal.SIGKILL)
    print(pid)
"""


def kill(stack: Stack, service: str, which: str) -> None:
    """SIGKILL to `one worker`, to all `workers` or to the `master` of a service."""
    master = stack.inspect(service)["State"]["Pid"]
    image = stack.inspect("api")["Image"]
    privileges = ["--pid=host", "--privileged", "--user=0", "--network=none"]
    assert run("docker", "run", "--rm", *privileges, image, "python3", "-c", KILL, str(master), which).split()
