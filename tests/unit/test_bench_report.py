"""The benchmark's arithmetic: which figures its verdicts are based on."""

from tests.bench.gateways import LOCALCHAT, NGINX_ALONE
from tests.bench.report import Report
from tests.bench.scenarios import Sample


def report(ours: list[float], theirs: list[float]) -> dict[str, object]:
    """The row of `GET /models`, one value per round."""
    samples = [
        Sample("models", gateway, number, 0, {"per_second": figure})
        for gateway, figures in ((LOCALCHAT, ours), (NGINX_ALONE, theirs))
        for number, figure in enumerate(figures, 1)
    ]
    (row,) = Report(samples, [NGINX_ALONE, LOCALCHAT]).rows()
    return row


def test_a_ratio_is_of_one_round() -> None:
    """A machine that was slow in one round does not change the ratio: 0.5, where the ratio of the medians is 1."""
    row = report(ours=[500, 50, 100], theirs=[1000, 100, 50])
    assert row["ratio"] == 0.5
    assert row["medians"] == {NGINX_ALONE: 100, LOCALCHAT: 100}


def test_a_target_that_is_missed_is_called_so() -> None:
    """GET /models has to reach 0.4 of nginx alone."""
    assert report(ours=[40], theirs=[100])["met"] is True
    assert report(ours=[39], theirs=[100])["met"] is False


def test_a_figure_of_only_one_gateway_is_not_judged() -> None:
    """A ratio needs both."""
    assert report(ours=[40], theirs=[])["met"] is None
