"""Which model scripts/up shows as an example (scripts/lib/first_steps.py)."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/lib/first_steps.py"
to_ask = runpy.run_path(str(SCRIPT))["to_ask"]


@pytest.mark.parametrize(
    ("models", "starters", "broken", "chosen"),
    [
        (["embeds:1b", "smollm2:135m"], "", [], "smollm2:135m"),
        (["embeds:1b", "other:1b", "mine:7b"], "mine:7b,smollm2:135m", [], "mine:7b"),
        (["other:1b", "mine:latest"], " mine ", [], "mine:latest"),
        (["broken:1b", "chats:1b"], "", ["broken:1b"], "chats:1b"),
        (["mine:7b", "chats:1b"], "mine:7b", ["mine:7b"], "chats:1b"),
        (["broken:1b"], "", ["broken:1b"], None),
        ([], "", [], None),
    ],
)
def test_the_example_asks_a_model_that_can_chat(
    models: list[str], starters: str, broken: list[str], chosen: str | None
) -> None:
    """A starter model if there is one, else the first in the list."""
    assert to_ask(models, starters, lambda name: name not in broken) == chosen
