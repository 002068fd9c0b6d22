"""How a command that has started its own servers ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.errors import EcomLiteError
from ecom_lite.live.state import RunState, read_state, write_state
from ecom_lite.run.servers import servers
from ecom_lite.settings.load import load_settings
from ecom_lite.terminal.terminal import Terminal

NOWHERE = "postgresql://postgres:x@127.0.0.1:1/shop"


def failed(tmp_path: Path, then: BaseException) -> None:
    settings = load_settings(env={}, flags={"run.data_dir": tmp_path / "data", "postgres.url": NOWHERE})
    with servers(settings, "sql", Terminal(quiet=True), kafka=False) as started:
        with pytest.raises(EcomLiteError, match="Connection refused"):
            started.supervisor.start()
        raise then


def test_what_follows_from_a_server_that_failed_is_told_by_its_cause(tmp_path: Path) -> None:
    with pytest.raises(EcomLiteError, match="schema did not start"):
        failed(tmp_path, ValueError("what followed"))


@pytest.mark.parametrize("signal", [KeyboardInterrupt(), SystemExit(143)], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_stays_a_signal(tmp_path: Path, signal: BaseException) -> None:
    """Else Ctrl-C would not end a wait for a server that comes back."""
    with pytest.raises(type(signal)):
        failed(tmp_path, signal)


@pytest.mark.parametrize(("purpose", "left"), [("run", None), ("sql", RunState(state="running", pid=1))])
def test_a_run_is_not_taken_for_the_one_that_was_killed(tmp_path: Path, purpose: str, left: RunState | None) -> None:
    settings = load_settings(env={}, flags={"run.data_dir": tmp_path, "postgres.url": NOWHERE})
    write_state(tmp_path, RunState(state="running", pid=1))
    with servers(settings, purpose, Terminal(quiet=True), kafka=False):
        assert read_state(tmp_path) == left
