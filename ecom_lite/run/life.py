"""The life of one run: start, watch, end. `services.py` says what it is made of, `summary.py` how a bounded one ends.

`execute.py` has its servers at work already while this and all that it needs is imported.
"""

from __future__ import annotations

import os
import signal
import time
import webbrowser
from typing import Any, Final

import psutil
from msgspec.structs import asdict, replace

from ..engines.log_file import LIMIT_BYTES, bound
from ..live.state import Database, RunState, control_link, write_state
from ..observe.gaps import tell
from ..observe.meter import Meter
from ..observe.status import RunStatus
from ..settings.data_dir import LOGS, RUN_LOG
from ..settings.tree import Settings
from ..terminal.steps import StepsShown
from ..terminal.terminal import Terminal
from ..terminal.view import account, duration
from .demo import Demo, Limits
from .execute import Options
from .interrupts import Interrupts
from .loaders import stop_all
from .opening import keep_copy
from .servers import Servers
from .services import Services, build
from .status import processes, run_status

TICK_S: Final = 1.0
DAY_S: Final = 86_400
KILL_S: Final = 2.0  # for what a run that ends at once leaves


class Run:
    """One run on servers that are not started yet; it closes the meter."""

    def __init__(
        self, settings: Settings, options: Options, servers: Servers, terminal: Terminal, meter: Meter | None = None
    ) -> None:
        self._settings = settings
        self._options = options
        self._servers = servers
        self._supervisor = servers.supervisor
        self._meter = meter or Meter(settings.data_dir)
        self._terminal = terminal
        self._supervisor.hear(self._heard)
        self._services: Services = build(settings, servers, self.status, self.written)
        self._interrupts = Interrupts(self._end_at_once)
        self._state = "starting"
        self._told_gaps = 0
        self._began = psutil.Process().create_time()  # epoch seconds
        self._since = time.monotonic() - (time.time() - self._began)  # the same by a clock that nobody sets
        self._copied = False  # what the shop was opened with
        self._ready_s = 0.0
        self._demo: Demo | None = None
        self._written = self.status()

    def execute(self) -> tuple[int, dict[str, Any]]:
        """Blocks until the run is over and everything is stopped. Raises the first cause when a part dies for good."""
        for service, needs in self._services.parts:
            self._supervisor.add(service, needs)
        with self._interrupts:
            try:
                summary = self._live()
            finally:
                self._stop_all()
        if self._supervisor.failure is not None:
            raise self._supervisor.failure
        if self._interrupts.number is not None:
            return self._interrupts.exit_code, summary
        told = self._demo is None or self._demo.well
        return (0 if told and summary.get("closes", True) else 1), summary

    def _heard(self, service: str, event: str, detail: str) -> None:
        self._meter.heard(service, event, detail)
        self._terminal.heard(service, event, detail)

    def _live(self) -> dict[str, Any]:
        self._terminal.begin([slot.name for slot in self._supervisor.slots])
        self._write_state()
        if not self._supervisor.start(self._interrupts.asked):
            return {}
        self._ready_s = time.monotonic() - self._since
        self._state = "running"
        self._services.ready.set()
        self._write_state()
        # Not into a file, such as the log of a run in the background, which others may read: `ecom_lite status` shows it.
        link = control_link(self._services.page.url, self._services.token) if self._terminal.is_screen else {}
        self._terminal.banner(self._ready_s, {**self._addresses(), **link}, passing=self._passing)
        if self._options.open_page:
            webbrowser.open(self._services.page.url)
        self._demo = self._begin_demo()
        self._watch()
        self._state = "draining"
        bounded = self._options.for_s is not None or self._settings.shop.events is not None
        told = self._demo is not None and self._demo.over
        if not (bounded or told or self._options.json):
            return {}
        from .summary import Ending

        ending = Ending(self._settings, self._servers, self._services, self._meter, self._terminal)
        return ending.carry_out(self._began, self._since, self._ready_s, doing=self._doing, measure=self.measure)

    def _begin_demo(self) -> Demo | None:
        wanted = self._options.demo
        if wanted is None or (shop := self._services.shop) is None:
            return None
        teller = self._services.story.teller
        teller.hear = StepsShown(self._terminal, self._services.page.url, lambda: len(teller.telling().chapters))
        demo = Demo(
            teller, self._supervisor, shop, self.status, lambda: self._servers.reach.address,
            lambda: self._services.backfill.seconds, round((self._settings.shop.history or 0) / DAY_S),
            Limits(look_s=wanted.look_s), wanted.go_on,
        )  # fmt: skip
        demo.begin()
        return demo

    @property
    def _passing(self) -> bool:
        return self._options.demo is not None and self._options.demo.passing

    def _watch(self) -> None:
        """Until a signal, the time given, all events sent, or a part that fails for good."""
        until = None if self._options.for_s is None else time.monotonic() + self._options.for_s
        producer = self._services.producer
        while not self._interrupts.asked.wait(TICK_S if until is None else max(0.0, min(TICK_S, until - time.monotonic()))):
            self.measure()
            if self._demo is not None and self._demo.over:
                return
            if self._supervisor.failed.is_set() or (until is not None and time.monotonic() >= until):
                return
            if self._settings.shop.events is not None and producer is not None and producer.health().done:
                return

    def _stop_all(self) -> None:
        """Sender first, then the loaders, which drain; then everything else, in the reverse of the start."""
        was_running, self._state = self._state != "starting", "stopping"
        self._services.story.stop()
        by_key = self._interrupts.number == signal.SIGINT
        self._doing("stopping the parts" + ("; Ctrl-C once more ends it at once" if by_key else ""))
        try:
            if was_running:
                self._supervisor.stop("produce")
                stop_all(self._supervisor, self._loader_names)
                self.measure()  # what the loaders have drained counts
        finally:  # also where the folder can no longer be written
            self._supervisor.stop()
            self._terminal.end()
            self._services.recorder.close()
            self._meter.close()
        self._state = "stopped"
        self._write_state()
        if was_running:
            folder, done = self._settings.data_dir, account(self._meter.totals)
            up = duration(time.monotonic() - self._since)
            then = "" if self._passing else f"; the next run goes on from {folder}"
            self._terminal.say(f"stopped after {up}: {done}{then}")

    def _end_at_once(self) -> None:
        """No grace: what was committed is committed; the next run goes on from there."""
        os.write(2, b"\x1b[?25h\r\n" if self._terminal.fancy else b"")  # the live view had hidden the cursor
        os.write(2, b"stopped at once; the next run goes on from what was committed\n")
        self._supervisor.abandon()
        self._servers.registry.cleanup(deadline_s=KILL_S)

    def _doing(self, what: str) -> None:
        self._terminal.doing(what)
        self._terminal.update(self.status(), self._meter.history)

    def measure(self) -> None:
        """Once a second: totals, rates, memory, the state file, the live view."""
        self._meter.measure(self._servers.reach.address, processes(self._supervisor))
        self._copied = self._copied or keep_copy(self._settings, self._servers.reach.address)
        if len(self._meter.gaps) > self._told_gaps:
            self._terminal.say(tell(self._meter.gaps[self._told_gaps :]), "bold red")
            self._told_gaps = len(self._meter.gaps)
        bound(self._settings.data_dir / LOGS / RUN_LOG, LIMIT_BYTES)
        for room in self._services.room.news():
            self._meter.heard("disk", room.state, room.problem or room.told)
            self._terminal.say(room.problem or f"room again: {room.told}", "bold red" if room.scarce else "green")
        for change in self._services.alerts.news():
            self._terminal.alert(change.rule.severity, change.rule.title, change.told, fires=change.after == "firing")
        self._write_state()
        self._terminal.update(self._written, self._meter.history)

    def status(self) -> RunStatus:
        """How the run is now. For any thread."""
        checks, alerts = self._services.checks.figures, self._services.alerts.figures
        room = self._services.room.now
        return run_status(self._state, self._settings, self._meter, self._supervisor, self._since, checks, alerts, room)

    def written(self) -> RunStatus:
        """How it was when the state file was last written: what `ecom_lite status` shows. For any thread."""
        return self._written

    def _write_state(self) -> None:
        status = self._written = self.status()
        state = RunState(**asdict(status))
        if self._state in ("running", "draining"):
            reach = self._servers.reach
            address = reach.address
            state = replace(
                state,
                addresses=self._addresses(),
                control_url=f"{self._services.page.url}api/control",
                control_token=self._services.token,
                bootstrap=reach.bootstrap,
                postgres=Database(host=address.host, port=address.port, database=address.database),
            )
        write_state(self._settings.data_dir, state)

    def _addresses(self) -> dict[str, str]:
        """What the banner shows."""
        shown = self._servers.reach.shown()
        shown["postgres"] += ', or `ecom_lite sql "SELECT ..."`'
        return {**self._services.addresses(), **shown, "data": str(self._settings.data_dir)}

    @property
    def _loader_names(self) -> list[str]:
        return [loader.name for loader in self._services.loaders]
