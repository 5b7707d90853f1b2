"""A run's samples as one table: medians, ratios to nginx alone, and targets."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from tests.bench.gateways import LOCALCHAT, NGINX_ALONE
from tests.bench.scenarios import Sample

ABSENT = "-"
BEFORE = ["LocalChat before", "ratio before"]


@dataclass(frozen=True)
class Target:
    """A limit for LocalChat's figure, or for its ratio to nginx alone in the same round."""

    of: Literal["figure", "ratio"]
    at: Literal["most", "least"]
    limit: float

    def is_met(self, figure: float, ratio: float | None) -> bool:
        value = figure if self.of == "figure" else ratio
        assert value is not None
        return value <= self.limit if self.at == "most" else value >= self.limit

    def __str__(self) -> str:
        sign = "≤" if self.at == "most" else "≥"
        return f"{sign} {self.limit:g}{'x' if self.of == 'ratio' else ''}"


@dataclass(frozen=True)
class Row:
    """One line of the table: a figure of a scenario."""

    title: str
    unit: str
    scenario: str
    figure: str
    target: Target | None = None
    reference: str = ""  # nginx alone is measured in this other scenario
    worst: bool = False  # the worst round, instead of the median


def at_most(limit: float, of: Literal["figure", "ratio"] = "figure") -> Target:
    return Target(of, "most", limit)


def at_least(limit: float, of: Literal["figure", "ratio"] = "figure") -> Target:
    return Target(of, "least", limit)


def _stream_rows() -> Iterator[Row]:
    first = {
        (1000, "p50"): at_most(1.5, "ratio"),
        (1000, "p99"): at_most(2, "ratio"),
        (1500, "p99"): at_most(3, "ratio"),
    }
    for count in (32, 256, 1000, 1500, 2000):
        for part in ("p50", "p99"):
            target = first.get((count, part))
            yield Row(
                f"first chunk, {count:,} streams, {part}", "ms", f"streams {count}", f"first_chunk_ms.{part}", target
            )
    for count in (32, 256, 1000, 1500, 2000):
        target = at_most(10) if count == 1000 else None
        yield Row(f"delay of a chunk, {count:,} streams, p99", "ms", f"streams {count}", "window.delay_ms.p99", target)
    for count in (1000, 1500, 2000):
        target = at_most(1.2, "ratio") if count == 1000 else None
        figure = "cpu_seconds_per_million_chunks"
        yield Row(f"CPU for a million chunks, {count:,} streams", "s", f"streams {count}", figure, target)
    for count in (1000, 2000):
        target = at_least(0.95, "ratio") if count == 2000 else None
        yield Row(f"chunks while {count:,} streams are open", "1/s", f"streams {count}", "window.per_second", target)
    for count in (1000, 2000):
        yield Row(f"streams that failed, of {count:,}", "", f"streams {count}", "failed", at_most(0), worst=True)


def _upload_row(title: str, scenario: str, target: Target | None, reference: str = "") -> Row:
    return Row(title, "MB/s", scenario, "megabytes_per_second", target, reference)


ROWS = [
    Row("first chunk, one at a time, p50", "ms", "sequential", "first_chunk_ms.p50", at_most(0.4)),
    Row("first chunk, one at a time, p99", "ms", "sequential", "first_chunk_ms.p99"),
    Row("first chunk, 256 at one instant, p50", "ms", "burst", "first_chunk_ms.p50", at_most(2, "ratio")),
    Row("first chunk, 256 at one instant, p99", "ms", "burst", "first_chunk_ms.p99"),
    *_stream_rows(),
    Row("GET /models (nginx alone: /api/tags)", "1/s", "models", "per_second", at_least(0.4, "ratio")),
    Row("POST /login", "1/s", "login", "per_second"),
    Row("download of a file", "MB/s", "download", "megabytes_per_second", at_least(0.97, "ratio")),
    _upload_row("upload, form, text (nginx alone: WebDAV)", "upload", at_least(0.5, "ratio")),
    _upload_row("upload, form, image", "upload of an image", at_least(0.5, "ratio"), "upload"),
    _upload_row("… both flushed to disk, text", "upload", None, "upload to disk"),
    _upload_row("… both flushed to disk, image", "upload of an image", None, "upload to disk"),
    Row("raw disk write (dd, flushed)", "MB/s", "disk", "megabytes_per_second"),
    Row("memory growth of the API by an upload", "MB", "upload", "growth_mb", at_most(10), worst=True),
    Row("delay of a chunk, 256 streams, uploads, p99", "ms", "upload and streams", "window.delay_ms.p99", at_most(10)),
    Row("memory growth, uploads and 256 streams", "MB", "upload and streams", "growth_mb", at_most(10), worst=True),
    Row("memory idle (PSS), nginx", "MB", "memory idle", "nginx"),
    Row("memory idle (PSS), API", "MB", "memory idle", "api"),
    Row("memory under 1,000 streams (PSS), nginx", "MB", "memory under load", "nginx"),
    Row("memory under 1,000 streams (PSS), API", "MB", "memory under load", "api"),
    Row("memory under 1,000 streams (PSS), all", "MB", "memory under load", "total"),
    Row("memory after load (PSS), all", "MB", "memory after load", "total", at_most(170)),
    Row("image of the API", "MB", "images", "api", at_most(200)),
    Row("image of nginx", "MB", "images", "nginx"),
    Row("`up` to first token, all built", "s", "up", "seconds", at_most(15)),
]


class Report:
    """Looks figures up by gateway, round and index."""

    def __init__(self, samples: list[Sample], gateways: list[str], before: dict[str, Any] | None = None) -> None:
        """`before` is an earlier run's JSON."""
        self._samples = samples
        self._gateways = gateways
        self._before = {row["title"]: row for row in before["rows"]} if before else None

    def rows(self) -> list[dict[str, Any]]:
        """The table's data. Rows without measurements are left out."""
        return [row for row in map(self._row, ROWS) if row["medians"]]

    def table(self) -> str:
        """Markdown that is readable as plain text."""
        head = ["", "unit", *self._gateways, "ratio", "target", "", *(BEFORE if self._before is not None else [])]
        lines = [head, *(self._cells(row) for row in self.rows())]
        widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
        lines.insert(1, ["-" * width for width in widths])
        return "\n".join(f"| {' | '.join(_padded(line, widths))} |" for line in lines)

    def _row(self, row: Row) -> dict[str, Any]:
        ours = self._figures(row.scenario, LOCALCHAT, row.figure)
        theirs = self._figures(row.reference or row.scenario, NGINX_ALONE, row.figure)
        ratios = [ours[when] / theirs[when] for when in ours if theirs.get(when)]
        ratio = median(ratios) if ratios else None
        medians = self._medians(row)
        mine = medians.get(LOCALCHAT)
        comparable = row.target is not None and mine is not None and (ratio is not None or row.target.of == "figure")
        return {
            "title": row.title,
            "unit": row.unit,
            "medians": medians,
            "ratio": ratio,
            "ratios": ratios,
            "noisy": self._is_noisy({row.scenario, row.reference or row.scenario}),
            "target": str(row.target or ""),
            "met": row.target.is_met(mine, ratio) if comparable and row.target and mine is not None else None,
        }

    def _medians(self, row: Row) -> dict[str, float]:
        sum_up = max if row.worst else median
        found = {}
        for gateway in self._gateways:
            scenario = row.reference if row.reference and gateway == NGINX_ALONE else row.scenario
            if row.reference and gateway not in (NGINX_ALONE, LOCALCHAT):
                continue
            if figures := self._figures(scenario, gateway, row.figure):
                found[gateway] = sum_up(figures.values())
        return found

    def _is_noisy(self, scenarios: set[str]) -> bool:
        judged = [s for s in self._samples if s.scenario in scenarios and s.gateway in (NGINX_ALONE, LOCALCHAT)]
        return 2 * sum(sample.is_noisy for sample in judged) >= len(judged) > 0

    def _figures(self, scenario: str, gateway: str, figure: str) -> dict[tuple[int, int], float]:
        """By round and index."""
        samples = [sample for sample in self._samples if (sample.scenario, sample.gateway) == (scenario, gateway)]
        found = {(sample.round, sample.index): _look_up(sample.figures, figure) for sample in samples}
        return {when: value for when, value in found.items() if value is not None}

    def _cells(self, row: dict[str, Any]) -> list[str]:
        verdict = {True: "met", False: "MISSED", None: ""}[row["met"]]
        figures = [_number(row["medians"].get(gateway)) for gateway in self._gateways]
        doubt = "~" if row["noisy"] else ""
        cells = [row["title"], row["unit"], *figures, _ratio(row), row["target"], f"{verdict}{doubt}"]
        if self._before is None:
            return cells
        before = self._before.get(row["title"], {"medians": {}, "ratio": None})
        return [*cells, _number(before["medians"].get(LOCALCHAT)), _ratio(before)]


def _look_up(figures: dict[str, Any], path: str) -> float | None:
    value: Any = figures
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return None if value is None else float(value)


def _ratio(row: dict[str, Any]) -> str:
    return "" if row["ratio"] is None else f"{row['ratio']:.2f}x"


def _number(value: float | None) -> str:
    if value is None:
        return ABSENT
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def _padded(cells: list[str], widths: list[int]) -> list[str]:
    """Text to the left, figures to the right."""
    return [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
