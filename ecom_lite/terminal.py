"""What a run shows on the terminal: the parts as they come up, the banner, a live view. All of it on stderr."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

MARKS = {"waiting": "·", "starting": "◌", "ready": "✔", "restarting": "↻", "stopping": "■", "stopped": "■", "failed": "✘"}
STYLES = {"ready": "green", "starting": "yellow", "restarting": "yellow", "failed": "bold red", "waiting": "dim"}


class Terminal:
    """Rich where stderr is a terminal, one plain line per event where it is not."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False, quiet=quiet)
        self.fancy = self.console.is_terminal and not quiet
        self._parts: dict[str, tuple[str, float, str]] = {}  # name -> state, since, detail
        self._began = time.monotonic()
        self._live: Live | None = None
        self._status: Mapping[str, Any] = {}
        self._lock = threading.Lock()

    def fetching(self, label: str) -> Progress:
        """A progress bar for the jars; use it as a context manager."""
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        return Progress(*columns, console=self.console, transient=False, disable=not self.fancy)

    def begin(self, names: list[str]) -> None:
        now = time.monotonic()
        self._began = now
        self._parts = {name: ("waiting", now, "") for name in names}
        if self.fancy:
            self._live = Live(get_renderable=self._render, console=self.console, refresh_per_second=4, transient=True)
            self._live.start()

    def heard(self, service: str, event: str, detail: str) -> None:
        """A supervisor event, from any thread."""
        states = {"starting": "starting", "ready": "ready", "restarted": "ready", "died": "restarting", "failed": "failed"}
        with self._lock:
            self._parts[service] = (states.get(event, "stopped"), time.monotonic(), detail)
        if event in ("died", "failed"):
            self.say(
                f"{service} {event}: {detail.splitlines()[0] if detail else ''}", "yellow" if event == "died" else "bold red"
            )
        elif event == "restarted":
            self.say(f"{service} is back ({detail})", "green")
        elif event == "ready" and not self.fancy:
            self.say(f"{service} ready, {detail}")

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style))

    def update(self, status: Mapping[str, Any]) -> None:
        self._status = status

    def end(self) -> None:
        """Take the live view down. Safe to repeat."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def banner(self, ready_s: float, addresses: Mapping[str, str]) -> None:
        table = Table.grid(padding=(0, 2))
        for name, address in addresses.items():
            table.add_row(Text(f"  {name}", style="bold"), Text(address, style="cyan"))
        self.console.print(Text(f"\necom_lite is ready after {ready_s:.1f} s", style="bold green"))
        self.console.print(table)
        self.console.print(Text("  Ctrl-C stops it; the data stays.\n", style="dim"))

    def _render(self) -> Group | Table:
        with self._lock:
            parts = dict(self._parts)
        if self._status.get("state") in ("running", "draining"):
            return self._running()
        table = Table.grid(padding=(0, 1))
        now = time.monotonic()
        for name, (state, since, detail) in parts.items():
            shown = detail if state == "ready" else "" if state == "waiting" else f"{now - since:.1f} s"
            table.add_row(Text(MARKS[state], style=STYLES.get(state, "")), Text(name), Text(shown, style="dim"))
        return Group(Text(f"starting, {now - self._began:.0f} s", style="bold"), table)

    def _running(self) -> Table:
        status = self._status
        dbt = status.get("dbt") or {}
        table = Table.grid(padding=(0, 3))
        cells = {
            "sent": f"{status.get('sent', 0):,} ({status.get('sent_per_s', 0):,.0f}/s)",
            "facts": f"{status.get('facts', 0):,} ({status.get('loaded_per_s', 0):,.0f}/s)",
            "lag": f"{status.get('lag', 0):,}",
            "duplicates": f"{status.get('duplicates', 0):,}",
            "dead letters": f"{status.get('dead', 0):,}",
            "dbt": f"{dbt.get('status', 'waiting for facts')}{' ' + dbt['at'] if dbt.get('at') else ''}",
            "memory": f"{status.get('rss_mb', 0):,} MB",
            "up": f"{status.get('uptime_s', 0):.0f} s",
        }
        table.add_row(*[Text(name, style="dim") for name in cells])
        table.add_row(*[Text(value, style="bold") for value in cells.values()])
        return table
