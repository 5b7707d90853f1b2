"""Other callers, who send small requests at a steady rate during an attack, and how long each waits.

with Bystanders(gateway) as others:
    …
assert others.failures == []
assert others.p99_seconds < …
"""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Self

import httpx

from tests.faults.gateway import CHAT, Gateway
from tests.support.stack import ROOT

PER_SECOND = 40


@dataclass
class Bystanders:
    """Run in their own process: the attack would delay them in this one."""

    gateway: Gateway
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.faults.bystanders", self.gateway.url, self.gateway.token]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        assert self._process.stdout.readline() == "asking\n"
        return self

    def __exit__(self, *_: object) -> None:
        seen = json.loads(self._process.communicate("stop\n", timeout=60)[0])
        self.seconds, self.failures = seen["seconds"], seen["failures"]

    @property
    def p99_seconds(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


async def ask(url: str, token: str) -> None:
    """Sends requests until a line arrives on standard input, then prints the results as JSON."""
    seen: dict[str, list[object]] = {"seconds": [], "failures": []}

    async def once(client: httpx.AsyncClient) -> None:
        started = time.perf_counter()
        try:
            # One that Ollama answers, and one that the API answers.
            answers = [await client.post("/chat", json=CHAT), await client.get("/files/0123456789ab_none.txt")]
            if [answer.status_code for answer in answers] != [200, 404]:
                seen["failures"].append([answer.text[:100] for answer in answers])
        except httpx.HTTPError as error:
            seen["failures"].append(repr(error))
        seen["seconds"].append((time.perf_counter() - started) / 2)

    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        await once(client)
        print("asking", flush=True)
        stopping = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
        tasks = []
        while not stopping.done():
            tasks.append(asyncio.ensure_future(once(client)))
            await asyncio.sleep(1 / PER_SECOND)
        await asyncio.gather(*tasks)
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(ask(*sys.argv[1:]))
