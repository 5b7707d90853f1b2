"""Measures LocalChat against nginx alone, and judges its targets. Run by scripts/bench."""

import argparse
import json
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tests.bench import machine, peers
from tests.bench.lab import build_load, forget_settings, running_lab
from tests.bench.report import Report
from tests.bench.scenarios import NOISY_CORES, QUICK, Bench, Plan
from tests.support.runs import own_folder


def main() -> None:
    options = _options()
    # So that an interrupted run still cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    forget_settings()
    build_load()
    plan = QUICK if options.quick else Plan()
    plan = replace(plan, rounds=options.rounds or plan.rounds)
    with running_lab() as lab:
        if options.peers:
            peers.add_naive(lab)
            peers.add_litellm(lab)
        bench = Bench(lab, plan)
        names = [gateway.name for gateway in lab.gateways]
        facts = machine.facts(lab.gateways, asdict(plan))
        bench.run()
    with own_folder() as folder:
        bench.note_first_tokens(folder)
    report = Report(bench.samples, names, options.before and json.loads(options.before.read_text()))
    whole = {**facts, "rows": report.rows(), "samples": bench.as_json()}
    options.json.write_text(json.dumps(whole, indent=1) + "\n")
    print(_heading(facts), report.table(), _noise(bench), *_notes(names), sep="\n\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small round; its figures mean nothing")
    parser.add_argument("--rounds", type=int, help="five, unless --quick")
    parser.add_argument("--peers", action="store_true", help="also a naive gateway and LiteLLM's proxy")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="file for all figures (bench.json)")
    parser.add_argument("--before", type=Path, help="the JSON of an earlier run, to show next to this one")
    return parser.parse_args()


def _heading(facts: dict[str, Any]) -> str:
    where = facts["machine"]
    hardware = f"{where['cores']} cores of {where['cpu']}, {where['memory_gb']} GB"
    changed = " and uncommitted changes" if facts["changed_files"] else ""
    return (
        f"LocalChat {facts['revision'][:12]}{changed}, {facts['started_at']}, {facts['plan']['rounds']} rounds\n"
        f"{hardware}, Linux {where['kernel']}, Docker {where['docker']}"
    )


def _notes(names: list[str]) -> list[str]:
    return [f"{name}: {note}" for name, note in peers.NOTES.items() if name in names]


def _noise(bench: Bench) -> str:
    """How reliable the run is."""
    noisy = [sample.other_cores for sample in bench.samples if sample.is_noisy]
    return (
        "Medians of all rounds; ratios are LocalChat's to nginx alone, medians of the ratios of each round.\n"
        f"~ Not to be trusted: something else took more than {NOISY_CORES} cores in half of the samples or more.\n"
        f"That was so in {len(noisy)} samples of {len(bench.samples)}; {max(noisy, default=0):.2f} cores at worst."
    )


if __name__ == "__main__":
    main()
