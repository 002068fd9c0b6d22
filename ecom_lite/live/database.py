"""Where the live run's warehouse is: the one thing that a question wants to know of a run, read without what reads all of it."""

from __future__ import annotations

import json
from pathlib import Path

from ..observe.form import VERSION
from ..settings.data_dir import STATE
from .lock import holder


def live_database(data_dir: Path) -> tuple[str, int, str] | None:
    """Host, port, database; None where no run is up there, or where its state takes a closer look (see `read_state`)."""
    who = holder(data_dir)
    if who is None or who.get("purpose") != "run":
        return None
    try:
        state = json.loads((data_dir / STATE).read_bytes())
        where = state["postgres"]
        found = (str(where["host"]), int(where["port"]), str(where["database"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if state.get("version") == VERSION and state.get("pid") == who.get("pid") else None
