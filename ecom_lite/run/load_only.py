"""The life of `ecom_lite load`: loaders without a run of their own, beside servers or a run that are there."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Any, Final

import psycopg

from ..engines.registry import ChildRegistry
from ..errors import EcomLiteError, MigrationError, UsageError
from ..live.lock import RunLock, holder
from ..load.retry import refused_login
from ..observe.logs import setup_file_logs
from ..settings.tree import Settings
from ..supervise.supervisor import Supervisor
from ..terminal.terminal import Terminal
from ..warehouse.connect import Address
from ..warehouse.migrate import bundled
from .app import App
from .loaders import loaded, names, stop_all
from .opened import live

FOLDER: Final = "loaders"  # in the data folder: a run there has its own lock, children and logs
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TICK_S: Final = 0.5
AWAY_S: Final = 1.0


class LoadOnly:
    """Runs loaders until a signal, the end of `for_s`, or a loader that fails for good. `execute` runs once."""

    def __init__(self, settings: Settings, for_s: float | None, terminal: Terminal) -> None:
        self.settings = settings
        self._for_s = for_s
        self._terminal = terminal
        self._asked = threading.Event()
        self._signal: int | None = None
        self._supervisor: Supervisor | None = None
        self._said: dict[str, str] = {}

    def execute(self) -> tuple[int, dict[str, Any]]:
        """(exit code, what was loaded). Raises EcomLiteError."""
        app = _app(self.settings)
        folder = self.settings.data_dir / FOLDER
        with RunLock(folder, "load"):
            setup_file_logs(folder, self.settings.run.log_level)
            registry = ChildRegistry(folder / "children.json")
            registry.cleanup()
            previous = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
            try:
                return self._execute(app, registry)
            finally:
                for number, handler in previous.items():
                    signal.signal(number, handler)

    def _execute(self, app: App, registry: ChildRegistry) -> tuple[int, dict[str, Any]]:
        began = time.monotonic()
        limit = self._end_later()
        if not self._wait_for_schema(app.address):
            return self._ended({}, "PostgreSQL")
        run, folder = self.settings.run, self.settings.data_dir / FOLDER
        supervisor = self._supervisor = Supervisor(
            restarts=run.restarts, restart_window_s=run.restart_window_s, ready_timeout_s=run.ready_timeout_s,
            listener=self._terminal.heard,
        )  # fmt: skip
        services = app.loader_services(folder, registry)
        for service in services:
            supervisor.add(service)
        wanted = names(len(services))
        self._terminal.begin(wanted)
        ready = False
        try:
            ready = supervisor.start(self._asked)
            limit.cancel()
            if ready:
                self._end_later()
                ready_s = time.monotonic() - began
                self._terminal.end()
                self._terminal.banner(ready_s, {**_where(app), "logs": f"{folder / 'logs'}"})
                self._watch(supervisor, wanted)
                self._terminal.doing("loading what is left")
        finally:
            self._terminal.end()
            stop_all(supervisor, wanted)
        if supervisor.failure is not None:
            raise supervisor.failure
        restarts = {slot.name: slot.restarted for slot in supervisor.slots if slot.restarted}
        seconds = round(time.monotonic() - began, 1)
        summary = {"processes": len(services), **loaded(services), "restarts": restarts, "seconds": seconds}
        return self._ended(summary, "" if ready else "Kafka or PostgreSQL")

    def _end_later(self) -> threading.Timer:
        """Ask for the end after `for_s`: counted from the start for servers that are away, and anew once all is ready."""
        timer = threading.Timer(self._for_s or threading.TIMEOUT_MAX, self._asked.set)
        timer.daemon = True
        if self._for_s is not None:
            timer.start()
        return timer

    def _ended(self, summary: dict[str, Any], missed: str) -> tuple[int, dict[str, Any]]:
        if missed and self._signal is None:
            raise EcomLiteError(f"nothing was loaded: {missed} did not answer within the {self._for_s:g} s of --for")
        return (0 if self._signal is None else 128 + self._signal), summary

    def _watch(self, supervisor: Supervisor, wanted: list[str]) -> None:
        while not self._asked.wait(TICK_S):
            health = supervisor.health()
            for name in wanted:
                detail = health[name].detail if name in health else ""
                if detail and not self._said.get(name):
                    self._terminal.say(f"{name} waits for PostgreSQL: {detail}", "yellow")
                elif self._said.get(name) and not detail and name in health:
                    self._terminal.say(f"{name} goes on", "green")
                self._said[name] = detail
            if supervisor.failed.is_set():
                return

    def _wait_for_schema(self, address: Address) -> bool:
        """Until PostgreSQL answers; False when a signal comes before. Raises MigrationError for a schema of another version."""
        said = False
        while not self._asked.is_set():
            try:
                require_schema(address)
                return True
            except psycopg.OperationalError as error:
                state = refused_login(error)
                if state is not None:
                    raise MigrationError(
                        f"{_place(address)} does not let ecom_lite's roles in: {_first_line(error)} (SQLSTATE {state}); "
                        "`ecom_lite migrate` with these settings makes the database, the roles and the schema. "
                        "The roles' passwords follow from the one in postgres.url: it must be the same on every machine"
                    ) from None
                if not said:
                    self._terminal.say(f"PostgreSQL is away, waiting: {_first_line(error)}", "yellow")
                    said = True
                self._asked.wait(AWAY_S)
        return False

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """The first one asks to drain and end, the second ends at once. In a thread: this one may hold the event's lock."""
        first, self._signal = self._signal is None, number
        threading.Thread(target=self._asked.set if first else self._end_now, name=f"signal-{number}", daemon=True).start()

    def _end_now(self) -> None:
        os.write(2, b"stopped at once; the next loader goes on from what was committed\n")
        if self._supervisor is not None:
            self._supervisor.abandon()
        try:
            ChildRegistry(self.settings.data_dir / FOLDER / "children.json").cleanup(deadline_s=2)
        finally:
            os._exit(128 + (self._signal or 0))


def require_schema(address: Address) -> None:
    """Raises MigrationError when the schema is missing, older or newer; psycopg.OperationalError when nobody answers."""
    with address.connect("ecom_owner", autocommit=True) as owner:
        row = owner.execute("SELECT to_regclass('public.ecom_lite_migrations')").fetchone()
        known = row is not None and row[0] is not None
        query = "SELECT number, name FROM public.ecom_lite_migrations"
        applied: dict[int, str] = dict(owner.execute(query).fetchall()) if known else {}
    ours = {migration.number: migration.name for migration in bundled()}
    missing = [name for number, name in sorted(ours.items()) if number not in applied]
    if not applied:
        raise MigrationError(f"{_place(address)} has no schema of ecom_lite: run `ecom_lite migrate` first")
    if missing:
        raise MigrationError(
            f"the schema in {_place(address)} is older than this version, it lacks {', '.join(missing)}: run `ecom_lite migrate`"
        )
    if newer := sorted(applied.keys() - ours.keys()):
        raise MigrationError(
            f"the schema in {_place(address)} is newer than this version, it has {applied[newer[-1]]}: update ecom_lite here"
        )


def _app(settings: Settings) -> App:
    """Servers that were named are used; else the run of the data folder is joined."""
    named = {"kafka.bootstrap": settings.kafka.bootstrap, "postgres.url": settings.postgres.url.get_secret_value()}
    missing = [name for name, value in named.items() if not value]
    if not missing:
        return App(settings)
    if (holder(settings.data_dir) or {}).get("purpose") == "run":
        joined = live(settings).app
        _require_same(settings, joined, missing)
        return joined
    raise UsageError(
        f"`ecom_lite load` starts no servers: set {' and '.join(missing)} (config.toml, or "
        f"{' and '.join('ECOM_LITE_' + name.upper().replace('.', '__') for name in missing)}) to join those of another machine, "
        f"or start `ecom_lite run` first to join it; nothing runs in {settings.data_dir}"
    )


def _require_same(settings: Settings, joined: App, missing: list[str]) -> None:
    """One server that is named and one that is not: only as the run has them. Raises UsageError."""
    ours = App(settings)
    for name, wanted, used in (
        ("kafka.bootstrap", settings.kafka.bootstrap, joined.bootstrap),
        ("postgres.url", _place(ours.address) if settings.postgres.url.get_secret_value() else "", _place(joined.address)),
    ):
        if wanted not in ("", used):
            raise UsageError(
                f"{name} is {wanted}, and the run in {settings.data_dir} uses {used}: leave it out to join that run, or set "
                f"{' and '.join(missing)}, too"
            )


def _where(app: App) -> dict[str, str]:
    return {"kafka": f"{app.bootstrap}, topic {app.settings.kafka.topic}", "postgres": _place(app.address)}


def _place(address: Address) -> str:
    return f"{address.host}:{address.port}/{address.database}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
