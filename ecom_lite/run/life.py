"""The life of one run: start, watch, end, and the summary. `app.py` says what it is made of."""

from __future__ import annotations

import os
import signal
import threading
import time
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

import psutil

from ..contract.events import utc_now
from ..engines.registry import ChildRegistry
from ..errors import EcomLiteError, UsageError
from ..live.lock import RunLock
from ..live.state import write_state
from ..machine.prepare import fetch_jars
from ..observe.gaps import tell
from ..observe.logs import setup_file_logs
from ..observe.meter import Meter
from ..settings.tree import Settings
from ..supervise.supervisor import Supervisor
from ..terminal.terminal import Terminal
from ..terminal.view import duration
from .app import App
from .loaders import names, stop_all, together, wait_loaded
from .opening import keep_copy

TICK_S: Final = 1.0
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    """How long, and what to show. With `for_s` or a number of events the run ends by itself and takes the count."""

    for_s: float | None = None
    json: bool = False
    open_page: bool = False
    quiet: bool = False


class Run:
    """One run in this process. `execute` returns (exit code, summary); the summary is {} where none was asked for."""

    def __init__(self, settings: Settings, options: Options) -> None:
        if settings.shop.events is not None and not settings.shop.enabled:
            raise UsageError("--events counts what the simulated shop sends, and shop.enabled is false: use --for, or enable it")
        if settings.shop.enabled:
            from ..produce.plan import refuse_impossible

            refuse_impossible(settings.shop, utc_now())
        self.settings = settings
        self.options = options
        self.bounded = options.for_s is not None or settings.shop.events is not None
        self.terminal = Terminal(options.quiet)
        self.state = "starting"
        self.signal: int | None = None
        self._asked = threading.Event()  # a signal came
        self._supervisor: Supervisor | None = None
        self._app: App | None = None
        self._meter = Meter()
        self._told_gaps = 0
        self._copied = False  # what the shop was opened with
        self._loaders = names(settings.load.processes)
        self._began = psutil.Process().create_time()
        self._ready_s = 0.0

    def execute(self) -> tuple[int, dict[str, Any]]:
        """Raises EcomLiteError when a part cannot start or dies for good; KeyboardInterrupt while jars are fetched."""
        data_dir = self.settings.data_dir
        with RunLock(data_dir, "run"):
            setup_file_logs(data_dir, self.settings.run.log_level)
            left = ChildRegistry(data_dir / "children.json").cleanup()
            if left:
                self.terminal.say(f"ended what an earlier run had left: {', '.join(left)}", "yellow")
            fetch_jars(self.settings, self.terminal)  # before our signal handlers: Ctrl-C ends it at once, the next run goes on
            previous = {number: signal.getsignal(number) for number in SIGNALS}
            for number in SIGNALS:
                if previous[number] is not signal.SIG_IGN:  # nohup
                    signal.signal(number, self._on_signal)
            try:
                return self._execute()
            finally:
                self._stop_all()
                for number, handler in previous.items():
                    signal.signal(number, handler)

    def _execute(self) -> tuple[int, dict[str, Any]]:
        app = self._app = App(self.settings)
        app.require_ports()
        run = self.settings.run
        supervisor = self._supervisor = Supervisor(
            restarts=run.restarts,
            restart_window_s=run.restart_window_s,
            ready_timeout_s=run.ready_timeout_s,
            listener=self._heard,
        )
        app.add_engines(supervisor)
        app.add_parts(supervisor, self.status)
        self.terminal.begin([slot.name for slot in supervisor.slots])
        self._write_state()
        if not supervisor.start(self._asked):
            return self._ended({})
        self._ready_s = time.time() - self._began
        self.state = "running"
        self._write_state()
        self.terminal.banner(self._ready_s, app.addresses())
        if self.options.open_page:
            webbrowser.open(app.page_url)
        self._watch(supervisor)
        self.state = "draining"
        summary = self._finish(app, supervisor) if self.bounded or self.options.json else {}
        return self._ended(summary)

    def _ended(self, summary: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self._supervisor is not None and self._supervisor.failure is not None:
            raise self._supervisor.failure
        if self.signal is not None:
            return 128 + self.signal, summary
        return (0 if summary.get("closes", True) else 1), summary

    def _stop_all(self) -> None:
        was_running, self.state = self.state != "starting", "stopping"
        self._doing("stopping the parts" + ("; Ctrl-C once more ends it at once" if self.signal == signal.SIGINT else ""))
        if self._supervisor is not None:
            if was_running:
                self._supervisor.stop("produce")
                stop_all(self._supervisor, self._loaders)
                self._measure()  # what the loader has drained counts
            self._supervisor.stop()
        self.terminal.end()
        self._meter.close()
        self.state = "stopped"
        self._write_state()
        if was_running:
            totals, folder = self._meter.totals, self.settings.data_dir
            done = f"{totals.get('sent', 0):,} events sent, {totals.get('facts', 0):,} facts in the warehouse"
            up = duration(time.time() - self._began)
            self.terminal.say(f"stopped after {up}: {done}; the next run goes on from {folder}")

    def _watch(self, supervisor: Supervisor) -> None:
        """Until a signal, the time given, all events sent, or a part that fails for good."""
        until = None if self.options.for_s is None else time.monotonic() + self.options.for_s
        while not self._asked.wait(TICK_S if until is None else max(0.0, min(TICK_S, until - time.monotonic()))):
            self._measure()
            if supervisor.failed.is_set() or (until is not None and time.monotonic() >= until):
                return
            if self.settings.shop.events is not None and supervisor.slot("produce").service.health().figures.get("done"):
                return

    def _finish(self, app: App, supervisor: Supervisor) -> dict[str, Any]:
        """Stop sending, drain, run dbt once more, and take the count while the engines are still up."""
        self._doing("stopping the shop")
        supervisor.stop("produce")
        self._doing("loading what is left")
        ends = [app.end_offsets()]  # the loaders drain up to here at least; others may go on sending
        # First all together: a loader that stops drains only what is its own, and a partition may be nobody's for a moment.
        wait_loaded(app.address, self.settings.kafka.topic, ends[0], self.settings.run.stop_timeout_s, supervisor.failed)
        stop_all(supervisor, self._loaders)
        self._measure()
        if supervisor.failed.is_set():
            return {}
        self._doing("bringing the marts up to date")
        app.settle()
        self._doing("taking the count")
        from ..check.reconcile import reconcile

        report = reconcile(
            app.address, self.settings.kafka.topic, lambda: ends.pop() if ends else app.end_offsets(), producing=False
        )
        self._measure()
        self._meter.measure_memory()
        for line in report.lines:
            if not line.closes:
                self.terminal.say(f"does not close: {line.name}: {line.left} is not {line.right} {line.note}", "bold red")
        figures, this_run = report.figures, self._meter.this_run(app.address, self._began)
        names = ("sent", "facts", "duplicates", "other", "dead", "foreign", "lost")
        return {
            "closes": report.closes,
            "ready_s": round(self._ready_s, 1),
            **{name: int(figures[name]) for name in names},
            "revenue": str(figures["fact_revenue"]),
            "marts": int(figures["mart_lines"]),
            "gaps": [str(gap) for gap in self._meter.gaps],
            **this_run,
            "rss_mb": round(self._meter.peak_memory / 1e6),
            "restarts": {slot.name: slot.restarted for slot in supervisor.slots if slot.restarted},
            "seconds": round(time.time() - self._began, 1),
            "seed": self.settings.shop.seed,
            **self._past(app),
        }

    def _past(self, app: App) -> dict[str, Any]:
        """For a shop with a history: its events, and the seconds from its first one to sent, loaded, and in the marts."""
        history = app.history
        if history is None or not history.expected:
            return {}
        return {"history_events": history.events, **{f"history_{what}_s": took for what, took in history.seconds.items()}}

    def _doing(self, what: str) -> None:
        self.terminal.doing(what)
        self.terminal.update(self.status(), self._meter.history)

    def _measure(self) -> None:
        """Once a second: totals, rates, memory, the state file, the live view."""
        assert self._app is not None
        self._meter.measure(self._app.address)
        self._copied = self._copied or keep_copy(self.settings, self._app.address)
        if len(self._meter.gaps) > self._told_gaps:
            self.terminal.say(tell(self._meter.gaps[self._told_gaps :]), "bold red")
            self._told_gaps = len(self._meter.gaps)
        self._write_state()
        self.terminal.update(self.status(), self._meter.history)

    def status(self) -> dict[str, Any]:
        """What `ecom_lite status`, the page and the live view show."""
        supervisor, meter, shop = self._supervisor, self._meter, self.settings.shop
        health = supervisor.health() if supervisor is not None else {}
        load = together(health[name].figures for name in self._loaders if name in health)
        sender: Mapping[str, Any] = health["produce"].figures if "produce" in health else {}
        control: Mapping[str, Any] = sender.get("control") or {}
        return {
            "state": self.state,
            "uptime_s": round(time.time() - self._began),
            "seed": shop.seed,
            "rate": control.get("rate", shop.rate),
            "paused": bool(control.get("paused")),
            "faults": dict(control.get("faults") or {}),
            "shop_time": sender.get("shop_time", ""),
            "history": sender.get("history", ""),
            **meter.totals,
            "sent_per_s": round(meter.sent_per_s),
            "loaded_per_s": round(meter.loaded_per_s),
            "lag": load.get("lag", 0),
            "delay_ms": load.get("delay_ms", 0),
            "rss_mb": round(meter.peak_memory / 1e6),
            "dbt": meter.dbt,
            "gaps": [gap.as_json() for gap in meter.gaps],
            "parts": {
                slot.name: {
                    "state": slot.state,
                    "restarts": slot.restarted,
                    "seconds": round(slot.started_s, 1),
                    **({"detail": health[slot.name].detail, "ok": health[slot.name].ok} if slot.name in health else {}),
                }
                for slot in (supervisor.slots if supervisor is not None else [])
            },
        }

    def _write_state(self) -> None:
        app = self._app if self.state in ("running", "draining") else None
        where = {} if app is None else {"addresses": app.addresses(), **app.connect_state()}
        write_state(self.settings.data_dir, {**self.status(), **where, "pid": os.getpid()})

    def _heard(self, service: str, event: str, detail: str) -> None:
        self._meter.heard(service, event, detail)
        self.terminal.heard(service, event, detail)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """The first one only asks: whoever waits on `_asked` goes on from there. The second does not wait.

        Each is carried out by a thread of its own: this one may just hold the lock of the very event that is to be set.
        """
        first, self.signal = self.signal is None, number
        work = self._asked.set if first else self._end_now
        threading.Thread(target=work, name=f"signal-{number}", daemon=True).start()

    def _end_now(self) -> None:
        """No grace: what was committed is committed; the next run goes on from there."""
        os.write(2, b"\x1b[?25h\r\n" if self.terminal.fancy else b"")  # the live view had hidden the cursor
        os.write(2, b"stopped at once; the next run goes on from what was committed\n")
        if self._supervisor is not None:
            self._supervisor.abandon()
        try:
            ChildRegistry(self.settings.data_dir / "children.json").cleanup(deadline_s=2)
        finally:
            os._exit(128 + (self.signal or 0))


def execute(settings: Settings, options: Options) -> tuple[int, dict[str, Any]]:
    return Run(settings, options).execute()


__all__ = ["EcomLiteError", "Options", "Run", "execute"]
