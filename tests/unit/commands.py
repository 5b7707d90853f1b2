"""Runs `localchat`, in this process or in one of its own, on a state folder of the test."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from api.accounts.settings_account import SettingsAccount
from api.commands.__main__ import main
from api.database.engine import open_engine
from api.database.migrate import migrate
from api.settings import Settings
from tests.support.tokens import KEY

ROOT = Path(__file__).parents[2]


def folders(folder: Path) -> dict[str, str]:
    """The settings that say where things lie, as serve() has them."""
    return {"STATE_DIR": str(folder / "state"), "UPLOAD_DIR": str(folder / "uploads"), "SECRET_KEY": KEY}


def make_database(folder: Path) -> Path:
    """As the API's first start does."""
    settings = Settings.model_validate({name.lower(): value for name, value in folders(folder).items()})
    migrate(settings.database_path)
    SettingsAccount(settings).keep(open_engine(settings.database_path))
    return settings.database_path


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """In this process."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    @classmethod
    def on(cls, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Self:
        for name, value in folders(folder).items():
            monkeypatch.setenv(name, value)
        return cls(monkeypatch, capsys)

    def __call__(self, *words: str, stdin: str = "") -> Result:
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self.capsys.readouterr()
        try:
            status: Any = main(words)
        except SystemExit as end:
            status = end.code
        return Result(status, *self.capsys.readouterr())


@contextmanager
def started(folder: Path, *words: str, prefix: tuple[str, ...] = (), **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A real process."""
    command = [*prefix, sys.executable, "-m", "api.commands", *words]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    environment = {"PATH": os.environ["PATH"], **folders(folder)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **{**pipes, **options}) as process:
        yield process


def finished(process: subprocess.Popen[str], stdin: str = "") -> Result:
    out, err = process.communicate(stdin, timeout=120)
    return Result(process.returncode, out, err)
