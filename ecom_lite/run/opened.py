"""The warehouse for one command: the live run's where there is one, else our servers started just for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import NotRunning
from ..live.lock import holder
from ..live.state import read_state
from ..warehouse.connect import Address
from .reach import Reach, live_reach

if TYPE_CHECKING:
    from ..settings.tree import Settings
    from ..terminal.terminal import Terminal

FIRST_MARTS_S: Final = 60.0
POLL_S: Final = 0.1


@dataclass(frozen=True)
class Opened:
    """What a command may use. `live` says that a run is going on, `producing` that it sends events."""

    settings: Settings
    reach: Reach
    live: bool
    producing: bool

    @property
    def address(self) -> Address:
        return self.reach.address

    def wait_first_marts(self, limit_s: float = FIRST_MARTS_S) -> None:
        """In a live run that has facts but no marts yet, wait for its first dbt run: it has just begun, or is about to."""
        give_up = time.monotonic() + limit_s
        while self.live and time.monotonic() < give_up:
            state = read_state(self.settings.data_dir)
            if state is None or not state.facts:
                return
            if state.dbt is not None and (state.dbt.run_id > 1 or state.dbt.status not in ("running", "error")):
                return  # this one, or an earlier one, has made marts
            time.sleep(POLL_S)


@contextmanager
def opened(settings: Settings, terminal: Terminal | None, purpose: str, *, kafka: bool) -> Iterator[Opened]:
    """Yield the warehouse. Starting our own servers takes 1 s (PostgreSQL) or 4 s (with Kafka); they are stopped at the end.

    Another command that has started them for itself (a prompt may stand for long) is named, and has to end first.

    Without a `terminal` one is made where something is started. Raises NotRunning when the folder has no data and nothing runs:
    there is nothing to look at.
    """
    held_by = holder(settings.data_dir)
    if held_by is not None and held_by.get("purpose", "run") == "run":
        state = read_state(settings.data_dir)
        produce = None if state is None else state.parts.get("produce")
        producing = produce is not None and produce.state == "ready"
        yield Opened(settings, live_reach(settings), live=True, producing=producing)
        return
    named = {"postgres": settings.postgres.url.get_secret_value(), **({"kafka": settings.kafka.bootstrap} if kafka else {})}
    ours = [name for name, address in named.items() if not address]
    if not all((settings.data_dir / name).is_dir() for name in ours):
        raise NotRunning(f"{settings.data_dir} has no data yet: start with `ecom_lite run`")
    from ..terminal.terminal import Terminal
    from .servers import servers

    terminal = terminal or Terminal()
    with servers(settings, purpose, terminal, kafka=kafka) as started:
        with terminal.busy(f"starting {' and '.join(ours)} for this command" if ours else "connecting"):
            started.supervisor.start()
        yield Opened(settings, started.reach, live=False, producing=False)
