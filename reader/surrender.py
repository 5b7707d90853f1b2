"""What a process gives up before it looks at a document, for good."""

import ctypes
import os
import resource
from contextlib import suppress
from pathlib import Path

PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def give_up_everything(*, memory_bytes: int, seconds: int) -> None:
    """From here on: no file or socket can be opened, no process or thread started, nothing written but the answer."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    # The first to be ended where memory runs out all the same.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    keep_others_out()
    bounds = {
        resource.RLIMIT_AS: now + memory_bytes,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
        resource.RLIMIT_NPROC: 0,
    }
    for which, bound in bounds.items():
        resource.setrlimit(which, (bound, bound))


def keep_others_out() -> None:
    """No other process of this user can trace this one, or read its memory, which may hold somebody else's document."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
