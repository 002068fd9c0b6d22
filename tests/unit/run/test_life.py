"""The life of a run on parts of the service contract that do nothing: how it begins, how it ends, and with which code."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from ecom_lite.engines.log_file import LIMIT_BYTES
from ecom_lite.engines.registry import ChildRegistry
from ecom_lite.errors import EcomLiteError
from ecom_lite.live.state import RunState, read_state
from ecom_lite.observe.health import Health
from ecom_lite.observe.status import RunStatus
from ecom_lite.run import life
from ecom_lite.run.alerting import Alerting
from ecom_lite.run.execute import Options
from ecom_lite.run.life import Run
from ecom_lite.run.own_checks import OwnChecks
from ecom_lite.run.reach import Reach
from ecom_lite.run.recorder import Recorder
from ecom_lite.run.room import RoomWatch
from ecom_lite.settings.data_dir import LOGS, OLDER_LOG, RUN_LOG
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.supervise.supervisor import Supervisor
from ecom_lite.terminal.terminal import Terminal
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {role: "" for role in ("ecom_reader", "ecom_owner")})
PATIENCE_S = 20.0


class Part:
    """A part of a run; `at_work` is called once it runs, and may raise."""

    def __init__(self, name: str, calls: list[str], at_work: Callable[[], None] = lambda: None, slow: bool = False) -> None:
        self.name = name
        self._calls = calls
        self._at_work = at_work
        self._slow = slow
        self._stopped = Event()

    def start(self) -> None:
        if self._slow:
            os.kill(os.getpid(), signal.SIGINT)
            self._stopped.wait(PATIENCE_S)
        self._calls.append(f"start {self.name}")

    def run(self, stop: Event) -> None:
        self._at_work()
        stop.wait()

    def stop(self) -> None:
        if not self._stopped.is_set():
            self._calls.append(f"stop {self.name}")
        self._stopped.set()

    def health(self) -> Health:
        return Health(True)


def a_run(
    folder: Path, parts: Sequence[Part], monkeypatch: pytest.MonkeyPatch, terminal: Terminal | None = None
) -> tuple[Run, Settings]:
    """Each part needs the one before it."""
    folder.mkdir()
    settings = load_settings(env={}, flags={"run.data_dir": folder, "run.light": True})
    supervisor = Supervisor(restarts=0, restart_window_s=60, ready_timeout_s=PATIENCE_S, listener=lambda *_: None)
    names = [part.name for part in parts]
    services = SimpleNamespace(
        parts=[(part, names[max(0, place - 1) : place]) for place, part in enumerate(parts)],
        page=SimpleNamespace(url="http://127.0.0.1:1/"), loaders=[], producer=None, token="secret", addresses=dict,
        ready=Event(), alerts=Alerting(settings, lambda: Reach(NOWHERE, "none:1", settings.kafka), 0),
        checks=OwnChecks(settings, lambda: NOWHERE), story=SimpleNamespace(stop=lambda: None),
        recorder=Recorder(lambda: Reach(NOWHERE, "none:1", settings.kafka), RunStatus), room=RoomWatch(settings),
    )  # fmt: skip
    monkeypatch.setattr(life, "build", lambda *_: services)
    monkeypatch.setattr(life, "TICK_S", 0.05)
    servers: Any = SimpleNamespace(
        supervisor=supervisor, registry=ChildRegistry(folder / "children.json"), reach=Reach(NOWHERE, "none:1", settings.kafka)
    )
    return Run(settings, Options(quiet=True), servers, terminal or Terminal(quiet=True)), settings


def state_of(settings: Settings) -> str:
    state = read_state(settings.data_dir)
    return "" if state is None else state.state


def test_a_signal_ends_it_in_the_reverse_order_with_its_number(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    seen: list[str] = []

    def ask() -> None:
        while state_of(run_settings[0]) != "running":  # as a user, who waits for the banner
            Event().wait(0.01)
        seen.append(state_of(run_settings[0]))
        os.kill(os.getpid(), signal.SIGTERM)

    run_settings: list[Settings] = []
    run, settings = a_run(data_dir, [Part("first", calls), Part("second", calls, ask)], monkeypatch)
    run_settings.append(settings)
    assert run.execute() == (128 + signal.SIGTERM, {})
    assert calls == ["start first", "start second", "stop second", "stop first"]
    assert seen == ["running"] and state_of(settings) == "stopped"


def test_a_part_that_dies_for_good_ends_it_with_the_first_cause(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def die() -> None:
        raise EcomLiteError("the disk is full")

    run, settings = a_run(data_dir, [Part("first", calls), Part("second", calls, die)], monkeypatch)
    with pytest.raises(EcomLiteError, match="the disk is full"):
        run.execute()
    assert calls[-1] == "stop first" and state_of(settings) == "stopped"


def test_a_signal_while_it_starts_is_heeded_at_once(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    run, settings = a_run(data_dir, [Part("first", calls), Part("slow", calls, slow=True), Part("never", calls)], monkeypatch)
    assert run.execute() == (128 + signal.SIGINT, {})
    assert "start never" not in calls and state_of(settings) == "stopped"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_token_is_in_the_state_file_only_while_it_runs(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens: list[str] = []

    def look() -> None:
        while state_of(found[0]) != "running":
            Event().wait(0.01)
        state = read_state(found[0].data_dir)
        tokens.append("" if state is None else state.control_token)
        os.kill(os.getpid(), signal.SIGTERM)

    found: list[Settings] = []
    run, settings = a_run(data_dir, [Part("only", [], look)], monkeypatch)
    found.append(settings)
    run.execute()
    state = read_state(settings.data_dir)
    assert tokens == ["secret"] and state is not None and state.control_token == ""


def test_a_folder_that_can_no_longer_be_written_ends_it_as_a_whole(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    full = Event()

    def write(folder: Path, state: RunState) -> None:
        if full.is_set():
            raise EcomLiteError(f"the data folder {folder} can no longer be written: No space left on device")

    class Shown(Terminal):
        def end(self) -> None:
            calls.append("the terminal as it was")

    monkeypatch.setattr(life, "write_state", write)
    run, _ = a_run(data_dir, [Part("only", calls, full.set)], monkeypatch, Shown(quiet=True))
    with pytest.raises(EcomLiteError, match="can no longer be written"):
        run.execute()
    assert calls == ["start only", "stop only", "the terminal as it was"]


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("forced", ["", "1"], ids=["", "colours wanted"])
def test_the_token_is_shown_on_a_terminal_and_in_no_file(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, is_terminal: bool, forced: str
) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    monkeypatch.setenv("ECOM_LITE_PLAIN", "1")
    if forced:
        monkeypatch.setenv("FORCE_COLOR", forced)
    said = Stream()

    def end() -> None:
        wait_for(lambda: "Ctrl-C stops it" in said.getvalue(), "the banner")
        os.kill(os.getpid(), signal.SIGTERM)

    terminal = Terminal(console=Console(file=said, width=200, color_system=None))
    a_run(data_dir, [Part("only", [], end)], monkeypatch, terminal)[0].execute()
    assert ("#token=secret" in said.getvalue()) == is_terminal


def test_the_log_of_a_run_in_the_background_is_cut_as_the_others_are(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = data_dir / LOGS / RUN_LOG

    def end() -> None:
        wait_for(lambda: log.stat().st_size == 0, "it is cut")
        os.kill(os.getpid(), signal.SIGTERM)

    run, _ = a_run(data_dir, [Part("first", [], end)], monkeypatch)
    log.parent.mkdir(exist_ok=True)
    log.write_bytes(b"x" * (LIMIT_BYTES + 1))
    run.execute()
    assert log.with_name(log.name + OLDER_LOG).stat().st_size == LIMIT_BYTES + 1
