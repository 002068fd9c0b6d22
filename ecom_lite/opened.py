"""The warehouse for one command: the live run's where there is one, else our engines started just for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .app import App, fetch_jars
from .config import Settings
from .errors import EcomLiteError, NotRunning
from .observe.logs import setup_file_logs
from .supervise.lock import RunLock, holder
from .supervise.state import read_state
from .supervise.supervisor import Supervisor
from .terminal import Terminal
from .warehouse.connect import Address
from .warehouse.roles import load_passwords


@dataclass(frozen=True)
class Opened:
    """What a command may use. `live` says that a run is going on, `producing` that it sends events."""

    app: App
    live: bool
    producing: bool

    @property
    def address(self) -> Address:
        return self.app.address


@contextmanager
def opened(settings: Settings, terminal: Terminal, purpose: str, *, kafka: bool) -> Iterator[Opened]:
    """Yield the warehouse. Starting our own engines takes 1 s (PostgreSQL) or 4 s (with Kafka); they are stopped at the end.

    Raises NotRunning when the folder has no data and nothing runs: there is nothing to look at.
    """
    if holder(settings.data_dir) is not None:
        yield _live(settings)
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


def _live(settings: Settings) -> Opened:
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
