"""The life of one run: start, watch, end, and the summary. `app.py` says what it is made of."""

from __future__ import annotations

import logging
import signal
import threading
import time
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

import psutil
import psycopg

from .app import App, fetch_jars
from .check.reconcile import reconcile
from .config import Settings
from .engines.child import ChildRegistry
from .errors import EcomLiteError
from .observe.logs import setup_file_logs
from .observe.memory import run_memory_bytes
from .supervise.lock import RunLock
from .supervise.state import write_state
from .supervise.supervisor import Supervisor
from .terminal import Terminal

TICK_S: Final = 1.0
MEMORY_EVERY_TICKS: Final = 2
log = logging.getLogger("ecom_lite.supervise")


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
        self.settings = settings
        self.options = options
        self.bounded = options.for_s is not None or settings.shop.events is not None
        self.terminal = Terminal(options.quiet)
        self.state = "starting"
        self.signal: int | None = None
        self._asked = threading.Event()  # a signal came
        self._supervisor: Supervisor | None = None
        self._app: App | None = None
        self._began = psutil.Process().create_time()
        self._ready_s = 0.0
        self._peak_memory = 0
        self._totals: dict[str, Any] = {}
        self._rates: dict[str, float] = {"sent": 0.0, "records": 0.0}
        self._last_tick: tuple[float, dict[str, Any]] = (time.monotonic(), {})
        self._events: list[tuple[str, str, str]] = []
        self._reader: psycopg.Connection | None = None
        self._recorder: psycopg.Connection | None = None

    def execute(self) -> tuple[int, dict[str, Any]]:
        """Raises EcomLiteError when a part cannot start or dies for good."""
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        data_dir = self.settings.data_dir
        try:
            with RunLock(data_dir, "run"):
                setup_file_logs(data_dir, self.settings.run.log_level)
                left = ChildRegistry(data_dir / "children.json").cleanup()
                if left:
                    self.terminal.say(f"ended what an earlier run had left: {', '.join(left)}", "yellow")
                try:
                    return self._execute()
                finally:
                    self.terminal.end()
                    if self._supervisor is not None:
                        self._supervisor.stop()
                    self.state = "stopped"
                    self._write_state()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _execute(self) -> tuple[int, dict[str, Any]]:
        fetch_jars(self.settings, self.terminal)
        app = self._app = App(self.settings)
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
        self.terminal.banner(self._ready_s, self._shown_addresses())
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

    def _watch(self, supervisor: Supervisor) -> None:
        """Until a signal, the time given, all events sent and loaded, or a part that fails for good."""
        until = None if self.options.for_s is None else time.monotonic() + self.options.for_s
        tick = 0
        while not self._asked.wait(TICK_S if until is None else max(0.0, min(TICK_S, until - time.monotonic()))):
            tick += 1
            self._measure(tick)
            if supervisor.failed.is_set():
                return
            if until is not None and time.monotonic() >= until:
                return
            if until is None and self.bounded and supervisor.slot("produce").service.health().figures.get("done"):
                return

    def _finish(self, app: App, supervisor: Supervisor) -> dict[str, Any]:
        """Stop sending, drain, run dbt once more, and take the count while the engines are still up."""
        self.terminal.update(self.status())
        supervisor.stop("produce")
        supervisor.stop("load")
        self._measure(0)
        if supervisor.failed.is_set():
            return {}
        app.settle()
        report = reconcile(app.address, self.settings.kafka.topic, app.end_offsets, producing=False)
        self._peak_memory = max(self._peak_memory, run_memory_bytes())
        figures = report.figures
        for line in report.lines:
            if not line.closes:
                self.terminal.say(f"does not close: {line.name}: {line.left} is not {line.right} {line.note}", "bold red")
        names = ("sent", "facts", "duplicates", "other", "dead", "foreign", "lost")
        return {
            "closes": report.closes,
            "ready_s": round(self._ready_s, 1),
            **{name: int(figures[name]) for name in names},
            "revenue": str(figures["fact_revenue"]),
            "marts": int(figures["mart_lines"]),
            "dbt_runs": self._count_dbt(app),
            "load_rate": self._load_rate(app),
            "rss_mb": round(self._peak_memory / 1e6),
            "restarts": {slot.name: slot.restarted for slot in supervisor.slots if slot.restarted},
            "seconds": round(time.time() - self._began, 1),
            "seed": self.settings.shop.seed,
        }

    def _count_dbt(self, app: App) -> int:
        return int(self._one(app, "SELECT count(*) FROM ops.dbt_runs WHERE started_at >= to_timestamp(%s) AND status <> 'error'"))

    def _load_rate(self, app: App) -> int:
        """Events a second from the first one's broker time to the last commit, producer running beside."""
        return int(
            self._one(
                app,
                "SELECT coalesce(sum(records) / nullif(extract(epoch FROM max(loaded_at) - min(oldest_broker_time)), 0), 0) "
                "FROM ops.load_batches WHERE loaded_at >= to_timestamp(%s)",
            )
        )

    def _one(self, app: App, query: Any) -> Any:
        with psycopg.connect(app.address.conninfo("ecom_reader")) as reader:
            row = reader.execute(query, [self._began]).fetchone()
            return row[0] if row else 0

    def _measure(self, tick: int) -> None:
        """Once a second: totals, rates, memory, the state file, the live view."""
        if tick % MEMORY_EVERY_TICKS == 0:
            self._peak_memory = max(self._peak_memory, run_memory_bytes())
        self._flush_events()
        totals = self._read_totals()
        now = time.monotonic()
        before, old = self._last_tick
        if totals and old and now > before:
            self._rates = {name: max(0.0, (totals[name] - old[name]) / (now - before)) for name in ("sent", "records")}
        if totals:
            self._totals, self._last_tick = totals, (now, totals)
        self._write_state()
        self.terminal.update(self.status())

    def _read_totals(self) -> dict[str, Any]:
        assert self._app is not None
        query = (
            "SELECT coalesce(sum(own), 0)::bigint, coalesce(sum(facts), 0)::bigint, coalesce(sum(duplicates), 0)::bigint, "
            "coalesce(sum(other), 0)::bigint, coalesce(sum(dead), 0)::bigint, coalesce(sum(lost), 0)::bigint, "
            "(SELECT coalesce(sum(events), 0)::bigint FROM ops.sent_ledger) FROM ops.consumer_offsets"
        )
        try:
            if self._reader is None or self._reader.closed:
                self._reader = psycopg.connect(self._app.address.conninfo("ecom_reader"), autocommit=True)
            row = self._reader.execute(query).fetchone()
        except psycopg.Error:
            if self._reader is not None:
                self._reader.close()
            return {}
        names = ("own", "facts", "duplicates", "other", "dead", "lost", "sent")
        totals: dict[str, Any] = dict(zip(names, row or (0,) * len(names), strict=True))
        totals["records"] = totals["facts"] + totals["duplicates"] + totals["other"] + totals["dead"]
        return totals

    def status(self) -> dict[str, Any]:
        """What `ecom_lite status`, the page and the live view show."""
        supervisor, app = self._supervisor, self._app
        health = supervisor.health() if supervisor is not None else {}
        load = health["load"].figures if "load" in health else {}
        shop = self.settings.shop
        return {
            "state": self.state,
            "uptime_s": round(time.time() - self._began),
            "seed": shop.seed,
            "rate": shop.rate,
            **self._totals,
            "sent_per_s": round(self._rates["sent"]),
            "loaded_per_s": round(self._rates["records"]),
            "lag": load.get("lag", 0),
            "delay_ms": load.get("delay_ms", 0),
            "rss_mb": round(self._peak_memory / 1e6),
            "dbt": app.last_dbt() if app is not None else {},
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

    def _shown_addresses(self) -> Mapping[str, str]:
        assert self._app is not None
        return self._app.addresses()

    def _write_state(self) -> None:
        ready = self.state in ("running", "draining")
        addresses = dict(self._shown_addresses()) if ready else {}
        connect = self._app.connect_state() if ready and self._app is not None else {}
        write_state(self.settings.data_dir, {**self.status(), "addresses": addresses, **connect, "pid": psutil.Process().pid})

    def _heard(self, service: str, event: str, detail: str) -> None:
        self._events.append((service, event, detail[:1000]))
        self.terminal.heard(service, event, detail)

    def _flush_events(self) -> None:
        """The supervisor's events into ops.service_events; while the database is away they wait here."""
        events = self._events[:]
        if not events or self._app is None:
            return
        try:
            if self._recorder is None or self._recorder.closed:
                self._recorder = self._app.address.connect("ecom_owner", autocommit=True)
            with self._recorder.cursor() as cursor:
                cursor.executemany("INSERT INTO ops.service_events (service, event, detail) VALUES (%s, %s, %s)", events)
        except psycopg.Error:
            if self._recorder is not None:
                self._recorder.close()
            return
        del self._events[: len(events)]

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            self.kill_now(number)
        self.signal = number
        self._asked.set()
        self.terminal.say("stopping; once more to stop at once", "yellow")

    def kill_now(self, number: int) -> None:
        """The second signal: no grace. What was committed is committed; the next run goes on from there."""
        import os

        self.terminal.end()
        ChildRegistry(self.settings.data_dir / "children.json").cleanup(deadline_s=2)
        os._exit(128 + number)


def execute(settings: Settings, options: Options) -> tuple[int, dict[str, Any]]:
    return Run(settings, options).execute()


__all__ = ["EcomLiteError", "Options", "Run", "execute"]
