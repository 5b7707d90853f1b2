"""The scenarios that run on each gateway, and their samples."""

import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.gateways import DIRECT, LOCALCHAT, NGINX_ALONE, Gateway
from tests.bench.lab import EMAIL, PASSWORD, UPLOADS, Lab, seconds_to_first_token
from tests.bench.resources import Cgroup, Usage, cpu_used, memory_growth, pss_mb
from tests.support.models import CACHED, copy_model, is_whole

INTERVAL_MS = 50  # 20 chunks a second
STARTS_PER_SECOND = 500
STREAMS_DURING_UPLOADS = 256
# Limited for peers: with more, they lag so far behind that a scenario would last minutes.
MOST_STREAMS_OF_A_PEER = 1000
SETTLE_SECONDS = 0.3
NOISY_CORES = 0.25
SHORT_SECONDS = 2


@dataclass(frozen=True)
class Plan:
    """Repetitions and sizes. The defaults are for a full run."""

    rounds: int = 5
    streams: tuple[int, ...] = (32, 256, 1000, 1500, 2000)
    chunks: int = 200  # per answer: ten seconds
    sequential: int = 200
    bursts: int = 5
    rate_seconds: float = 3
    transfer_mb: int = 200
    downloads: int = 6  # per round
    uploads: int = 3
    uploads_during_streams: int = 5
    first_tokens: int = 3


QUICK = Plan(
    rounds=1, streams=(1000,), chunks=60, sequential=50, bursts=1, rate_seconds=0.5, transfer_mb=50, downloads=2,
    uploads=1, uploads_during_streams=2, first_tokens=0,
)  # fmt: skip


@dataclass
class Sample:
    """One scenario on one gateway. `figures` come from the load generator or a measurement."""

    scenario: str
    gateway: str
    round: int
    index: int
    figures: dict[str, Any]
    seconds: float = 0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    other_cores: float = 0

    @property
    def is_noisy(self) -> bool:
        # Short ones consist mostly of their own start-up.
        return self.seconds > SHORT_SECONDS and self.other_cores > NOISY_CORES


Measurement = Callable[[Gateway], dict[str, Any]]


def _always(_: Gateway) -> bool:
    return True


class Bench:
    """Runs the plan in a lab and collects the samples."""

    def __init__(self, lab: Lab, plan: Plan) -> None:
        self.samples: list[Sample] = []
        self._lab = lab
        self._plan = plan
        self._round = 0
        self._groups = {
            gateway.name: [Cgroup(container) for container in gateway.containers.values()] for gateway in lab.gateways
        }
        self._ends = {"fake": [Cgroup(lab.fake)], "load": [Cgroup(lab.generator)]}
        self._file = ""

    def run(self) -> None:
        self._warm_up()
        self._note_memory("memory idle")
        for number in range(1, self._plan.rounds + 1):
            _say(f"Round {number} of {self._plan.rounds}")
            self._round = number
            self._short_requests()
            self._streams()
            self._downloads()
            self._uploads()
        self._note_memory("memory after load")
        self._note_memory_under_load()
        self._note_images()

    def note_first_tokens(self, folder: Path) -> None:
        """Skipped if the model would have to be downloaded first."""
        if not is_whole(CACHED):
            _say("Not measured: `up` to the first token; scripts/test e2e fetches the model for it")
            return
        models = folder / "models"
        copy_model(CACHED, models)
        for index in range(self._plan.first_tokens):
            self._keep("up", LOCALCHAT, {"seconds": seconds_to_first_token(folder, models)}, index=index)

    def _warm_up(self) -> None:
        _say("Warming up")
        for gateway in self._lab.gateways:
            self._lab.await_answer(gateway)
            self._lab.load("sequential", "--count=200", *gateway.chat_request(1, 0))
            if gateway.is_peer:
                self._lab.put_to_sleep(gateway)
        self._file = self._upload_a_file()

    def _short_requests(self) -> None:
        self._each("sequential", self._sequential)
        self._each("burst", self._burst)
        self._each("models", self._models)
        self._each("login", self._login, lambda gateway: bool(gateway.login))

    def _sequential(self, gateway: Gateway) -> dict[str, Any]:
        return self._lab.load("sequential", f"--count={self._plan.sequential}", *gateway.chat_request(1, 0))

    def _burst(self, gateway: Gateway) -> dict[str, Any]:
        return self._lab.load("burst", f"--repeat={self._plan.bursts}", *gateway.chat_request(20, INTERVAL_MS))

    def _models(self, gateway: Gateway) -> dict[str, Any]:
        return self._lab.load("rate", "--method=GET", self._rate_time, *gateway.at(gateway.models))

    def _login(self, gateway: Gateway) -> dict[str, Any]:
        account = f'{{"email": "{EMAIL}", "password": "{PASSWORD}"}}'
        return self._lab.load("rate", f"--body={account}", self._rate_time, *gateway.at(gateway.login))

    @property
    def _rate_time(self) -> str:
        return f"--time={self._plan.rate_seconds}s"

    def _streams(self) -> None:
        for count in self._plan.streams:
            self._each(
                f"streams {count}",
                lambda gateway, count=count: self._stream(gateway, count),  # type: ignore[misc]
                lambda gateway, count=count: not gateway.is_peer or count <= MOST_STREAMS_OF_A_PEER,  # type: ignore[misc]
            )

    def _stream(self, gateway: Gateway, count: int, *flags: str) -> dict[str, Any]:
        """Answers that start one after another; delays count from when all are running."""
        chunks = self._plan.chunks
        shape = [f"--count={count}", f"--ramp={max(1, count / STARTS_PER_SECOND)}s", f"--chunks={chunks}"]
        request = gateway.chat_request(chunks, INTERVAL_MS)
        return self._lab.load("streams", *shape, f"--interval={INTERVAL_MS}ms", *request, *flags)

    def _downloads(self) -> None:
        for index in range(self._plan.downloads):
            self._each("download", self._download, lambda gateway: bool(gateway.files), index)

    def _download(self, gateway: Gateway) -> dict[str, Any]:
        name = str(self._plan.transfer_mb * 1_000_000) if gateway.name == DIRECT else self._file
        return self._lab.load("download", *gateway.at(gateway.files + name))

    def _uploads(self) -> None:
        for index in range(self._plan.uploads):
            self._each("upload", self._upload, _takes_uploads, index)
            self._each("upload of an image", self._image_upload, lambda gateway: bool(gateway.form_upload), index)
            self._each("upload to disk", self._flushed_upload, lambda gateway: gateway.name == NGINX_ALONE, index)
            self._each("disk", self._raw_disk_write, lambda gateway: gateway.name == DIRECT, index)
        # Without peers: their streams are late even without uploads.
        self._each("upload and streams", self._upload_during_streams, lambda g: g.name in {NGINX_ALONE, LOCALCHAT})

    def _upload(self, gateway: Gateway, *flags: str) -> dict[str, Any]:
        with self._growth_of_the_api(gateway) as growth:
            authorization = f"--authorization={gateway.authorization}"
            (sent,) = self._lab.load("upload", authorization, *self._upload_flags(gateway, ""), *flags)["uploads"]
        self._delete_uploads()
        assert "error" not in sent, f"{gateway.name}: {sent['error']}"
        return {**sent, **growth}

    def _image_upload(self, gateway: Gateway) -> dict[str, Any]:
        return self._upload(gateway, "--image")

    def _flushed_upload(self, gateway: Gateway) -> dict[str, Any]:
        return self._upload(gateway, f"--fsync={UPLOADS}")

    def _upload_during_streams(self, gateway: Gateway) -> dict[str, Any]:
        flags = [*self._upload_flags(gateway, "upload-"), f"--upload-repeat={self._plan.uploads_during_streams}"]
        with self._growth_of_the_api(gateway) as growth:
            result = self._stream(gateway, STREAMS_DURING_UPLOADS, *flags)
        self._delete_uploads()
        return {**result, **growth}

    def _upload_flags(self, gateway: Gateway, prefix: str) -> list[str]:
        # A new name each time: replacing a file costs a flush on some file systems.
        path = gateway.form_upload or f"{gateway.put_upload}{secrets.token_hex(6)}-%d_bench.txt"
        kind = [f"--{prefix}form"] if gateway.form_upload else []
        return [f"--{prefix}url={gateway.url}{path}", f"--{prefix}megabytes={self._plan.transfer_mb}", *kind]

    def _raw_disk_write(self, _: Gateway) -> dict[str, Any]:
        said = self._lab.in_uploads(f"dd if=/dev/zero of=x_bench.txt bs=1M count={self._plan.transfer_mb} conv=fsync")
        self._delete_uploads()
        copied = re.search(r"(\d+) bytes .*, ([\d.e-]+) s,", said)
        assert copied, said
        return {"megabytes_per_second": int(copied[1]) / 1e6 / float(copied[2])}

    def _upload_a_file(self) -> str:
        """Uploads the file that is then downloaded; returns its name."""
        (localchat,) = [gateway for gateway in self._lab.gateways if gateway.name == LOCALCHAT]
        flags = self._upload_flags(localchat, "")
        (sent,) = self._lab.load("upload", f"--authorization={localchat.authorization}", *flags)["uploads"]
        found = re.search(r'"filename":\s*"([^"]+)"', sent.get("answer", ""))
        assert found, sent
        # Only LocalChat has account folders.
        self._lab.in_uploads(f"ln settings/{found[1]} .")
        return found[1]

    def _delete_uploads(self) -> None:
        self._lab.in_uploads(f"find . -type f -name '*bench.*' ! -name '{self._file}' -delete")

    @contextmanager
    def _growth_of_the_api(self, gateway: Gateway) -> Iterator[dict[str, float]]:
        """Filled in at the end, for a gateway that has an API."""
        found: dict[str, float] = {}
        if "api" not in gateway.containers:
            yield found
            return
        with memory_growth(Cgroup(gateway.containers["api"])) as growth:
            yield found
        found["growth_mb"] = growth.megabytes

    def _note_memory(self, scenario: str) -> None:
        for gateway in self._lab.gateways:
            if gateway.containers:
                with self._lab.awake(gateway):
                    self._keep(scenario, gateway.name, self._memory(gateway))

    def _memory(self, gateway: Gateway) -> dict[str, Any]:
        each = {name: pss_mb(container) for name, container in gateway.containers.items()}
        return {**each, "total": sum(each.values())}

    def _note_memory_under_load(self) -> None:
        """In a separate run, whose other figures do not count: measuring costs CPU."""
        for gateway in self._lab.gateways:
            if gateway.containers:
                with self._lab.awake(gateway):
                    self._keep("memory under load", gateway.name, self._memory_during_streams(gateway))

    def _memory_during_streams(self, gateway: Gateway) -> dict[str, Any]:
        shape = ["--count=1000", "--ramp=2s", f"--chunks={self._plan.chunks}", f"--interval={INTERVAL_MS}ms"]
        request = gateway.chat_request(self._plan.chunks, INTERVAL_MS)
        with self._lab.loading("streams", *shape, *request):
            time.sleep(2.7)
            return self._memory(gateway)

    def _note_images(self) -> None:
        for gateway in self._lab.gateways:
            if gateway.containers:
                self._keep("images", gateway.name, self._lab.image_mb(gateway))

    def _each(
        self, scenario: str, measure: Measurement, applies: Callable[[Gateway], bool] = _always, index: int = 0
    ) -> None:
        """One gateway after another, starting with another one each round."""
        gateways = [gateway for gateway in self._lab.gateways if applies(gateway)]
        first = (self._round + index) % len(gateways) if gateways else 0
        for gateway in gateways[first:] + gateways[:first]:
            _say(f"  {scenario}: {gateway.name}")
            with self._lab.awake(gateway), cpu_used(self._ends | {"gateway": self._groups[gateway.name]}) as usage:
                figures = measure(gateway)
            self._keep(scenario, gateway.name, figures | _cpu_per_million(figures, usage), usage, index)
            time.sleep(SETTLE_SECONDS)

    def _keep(
        self, scenario: str, gateway: str, figures: dict[str, Any], usage: Usage | None = None, index: int = 0
    ) -> None:
        sample = Sample(scenario, gateway, self._round, index, figures)
        if usage:
            sample.seconds, sample.cpu_seconds, sample.other_cores = usage.seconds, usage.cpu_seconds, usage.other_cores
        self.samples.append(sample)

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(sample) for sample in self.samples]


def _takes_uploads(gateway: Gateway) -> bool:
    return bool(gateway.form_upload or gateway.put_upload)


def _cpu_per_million(figures: dict[str, Any], usage: Usage) -> dict[str, Any]:
    """Seconds of the gateway's CPU per million chunks, including their requests."""
    if not figures.get("chunks") or not usage.cpu_seconds["gateway"]:
        return {}
    return {"cpu_seconds_per_million_chunks": usage.cpu_seconds["gateway"] / figures["chunks"] * 1e6}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
