"""The warehouse for one command: the live run's where there is one, else our engines started just for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ..errors import EcomLiteError, NotRunning
from ..live.lock import RunLock, holder
from ..live.state import read_state
from ..machine.prepare import fetch_jars
from ..observe.logs import setup_file_logs
from ..settings.tree import Settings
from ..supervise.supervisor import Supervisor
from ..terminal.terminal import Terminal
from ..warehouse.connect import Address
from ..warehouse.roles import load_passwords
from .app import App

FIRST_MARTS_S: Final = 30.0
POLL_S: Final = 0.1


@dataclass(frozen=True)
class Opened:
    """What a command may use. `live` says that a run is going on, `producing` that it sends events."""

    app: App
    live: bool
    producing: bool

    @property
    def address(self) -> Address:
        return self.app.address

    def wait_first_marts(self, limit_s: float = FIRST_MARTS_S) -> None:
        """In a live run that has facts but no marts yet, wait for its first dbt run: it has just begun, or is about to."""
        give_up = time.monotonic() + limit_s
        while self.live and time.monotonic() < give_up:
            state = read_state(self.app.data_dir)
            if not state.get("facts") or state.get("dbt", {}).get("status") not in (None, "running", "error"):
                return
            if state.get("dbt", {}).get("run_id", 1) > 1:
                return  # an earlier one has made marts
            time.sleep(POLL_S)


@contextmanager
def opened(settings: Settings, terminal: Terminal, purpose: str, *, kafka: bool) -> Iterator[Opened]:
    """Yield the warehouse. Starting our own engines takes 1 s (PostgreSQL) or 4 s (with Kafka); they are stopped at the end.

    Raises NotRunning when the folder has no data and nothing runs: there is nothing to look at.
    """
    if holder(settings.data_dir) is not None:
        yield live(settings)
        return
    app = App(settings)
    own = [name for name, needed in (("postgres", app.own_postgres), ("kafka", kafka and app.own_kafka)) if needed]
    if not all((settings.data_dir / name).is_dir() for name in own):
        raise NotRunning(f"{settings.data_dir} has no data yet: start with `ecom_lite run`")
    with RunLock(settings.data_dir, purpose):
        setup_file_logs(settings.data_dir, settings.run.log_level)
        app.registry.cleanup()
        if kafka and app.own_kafka:
            fetch_jars(settings, terminal, ["kafka"])
        run = settings.run
        supervisor = Supervisor(restarts=0, restart_window_s=60, ready_timeout_s=run.ready_timeout_s, listener=lambda *_: None)
        app.add_engines(supervisor, kafka=kafka)
        try:
            with terminal.busy(f"starting {' and '.join(own)} for this command" if own else "connecting"):
                supervisor.start()
            yield Opened(app, live=False, producing=False)
        finally:
            supervisor.stop()


def live(settings: Settings) -> Opened:
    """The live run of the data folder. Raises EcomLiteError while it is still starting."""
    state = read_state(settings.data_dir)
    where = state.get("postgres")
    if not where:
        raise EcomLiteError(f"the run in {settings.data_dir} is still starting: wait until `ecom_lite status` says running")
    own = {"kafka": settings.kafka.model_copy(update={"bootstrap": str(state["bootstrap"])})}
    app = App(settings.model_copy(update=own))
    if app.own_postgres:
        app.use(Address(where["host"], where["port"], where["database"], "postgres", "", load_passwords(settings.data_dir)))
    produce = state.get("parts", {}).get("produce", {})
    return Opened(app, live=True, producing=produce.get("state") == "ready")
