"""What a run shows on the terminal: the parts as they come up, the banner, a live view, the end. All of it on stderr."""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from ..observe.status import RunStatus
from .console import console as make_console
from .console import narrow, plain, print_wrapped
from .view import ALERT_STYLES, starting_view, status_view
from .words import status_lines

if TYPE_CHECKING:
    from rich.progress import Progress

STATES: Final = {"starting": "starting", "ready": "ready", "restarted": "ready", "died": "restarting", "failed": "failed"}
FRAMES_PER_S: Final = 5
PARAGRAPH_COLUMNS: Final = 100


class Terminal:
    """Rich where stderr is a terminal, one plain line per event where it is not. Methods may be called from any thread."""

    def __init__(self, quiet: bool = False, console: Console | None = None) -> None:
        self.console = console or make_console(stderr=True, quiet=quiet)
        self.fancy = self.console.is_terminal and not plain() and not quiet
        self._parts: dict[str, tuple[str, float, float | None]] = {}  # name -> state, since, seconds it took
        self._began = time.monotonic()
        self._doing = "starting"
        self._ready = False
        self._live: Live | None = None
        self._status: RunStatus | None = None
        self._history: Sequence[float] = ()
        self._lock = threading.Lock()

    @property
    def is_screen(self) -> bool:
        """Whether it is a terminal indeed, and no file: with FORCE_COLOR rich takes any file for one."""
        return self.console.file.isatty()

    def fetching(self, label: str) -> Progress:
        """Progress bars for the jars; use it as a context manager. Without a terminal it only says that it fetches."""
        if not self.fancy:  # no bar, which would be redrawn
            self.say(f"fetching the jars for {label}")
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        return Progress(*columns, console=self.console, transient=True, disable=not self.fancy)

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """A spinner while something takes its time; nothing without a terminal."""
        if self.fancy:
            with self.console.status(what):
                yield
        else:
            yield

    def begin(self, names: list[str]) -> None:
        """The parts are about to start."""
        now = time.monotonic()
        self._began = now
        self._parts = {name: ("waiting", now, None) for name in names}
        if self.fancy:
            self._live = Live(
                get_renderable=self.render, console=self.console, refresh_per_second=FRAMES_PER_S, transient=True,
                redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
            self._live.start()

    def heard(self, service: str, event: str, detail: str) -> None:
        """An event of the supervisor."""
        now = time.monotonic()
        with self._lock:
            _, since, _ = self._parts.get(service, ("", now, None))
            state = STATES.get(event, "stopped")
            self._parts[service] = (state, now if state != "ready" else since, now - since if state == "ready" else None)
        first = detail.splitlines()[0] if detail else ""
        if event == "died":
            self.say(f"{service} died and is started again: {first}", "yellow")
        elif event == "restarted":
            self.say(f"{service} is back after {detail}", "green")
        elif event == "ready" and not self.fancy and not self._ready:
            self.say(f"{service} ready, {detail}")

    def say(self, text: str, style: str = "") -> None:
        """One line; above the live view where there is one."""
        print_wrapped(self.console, Text(text, style=style))

    def alert(self, severity: str, title: str, told: str, *, fires: bool) -> None:
        """One line when an alert fires, and one when it is over."""
        style = ALERT_STYLES.get(severity, "") if fires else "green"
        self.say(f"alert ({severity}): {title}: {told}" if fires else f"alert is over: {title}: {told}", style)

    def doing(self, what: str) -> None:
        """The run goes on to its next stage."""
        self._doing = what
        if not self.fancy:
            self.say(what)

    def update(self, status: RunStatus, history: Sequence[float] = ()) -> None:
        self._status, self._history = status, tuple(history)

    def end(self) -> None:
        """Take the live view down. Safe to repeat."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def headline(self, what: str) -> None:
        """As `doing`, for the live view alone."""
        self._doing = what

    def paragraph(self, text: str, style: str = "", indent: str = "  ") -> None:
        """Some sentences: broken between words on a terminal, one line elsewhere."""
        if self.console.width > PARAGRAPH_COLUMNS and self.console.is_terminal:
            text = "\n".join(textwrap.wrap(text, PARAGRAPH_COLUMNS - len(indent), break_on_hyphens=False))
        print_wrapped(self.console, Text(textwrap.indent(text, indent), style=style))

    def banner(self, ready_s: float, addresses: Mapping[str, str], *, passing: bool = False) -> None:
        """All parts are ready: where to look. `passing`: nothing stays of it."""
        self._ready = True
        self._doing = "running"
        with self.console:  # in one write: who waits for the first line has the addresses too
            self.say(f"ecom_lite is ready after {ready_s:.1f} s", "bold green")
            self.addresses(addresses)
            self.say(f"  Ctrl-C stops it; {'its data goes with it' if passing else 'the data stays'}.\n", "dim")

    def addresses(self, addresses: Mapping[str, str]) -> None:
        """Where to look: one line each, never broken, so that it can be copied."""
        width = 0 if plain() or narrow(self.console) else max(map(len, addresses), default=0) + 2
        for name, address in addresses.items():
            named = "  " + name.ljust(width) if width else f"{name}: "
            line = Text.assemble((named, "bold"), (address, "cyan" if "://" in address else ""))
            self.console.print(line, soft_wrap=True)

    def summary(self, summary: Mapping[str, Any]) -> None:
        """The count at the end, for people."""
        closes = summary.get("closes")
        self.say("the count closes" if closes else "THE COUNT DOES NOT CLOSE", "bold green" if closes else "bold red")
        width = max(map(len, summary), default=0)
        for name, value in summary.items():
            shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) and name != "seed" else value
            if plain() or narrow(self.console):
                self.say(f"{name}: {shown}")
            else:
                self.console.print(Text.assemble((f"  {name.ljust(width + 2)}", "dim"), str(shown)), soft_wrap=True)

    def render(self) -> RenderableType:
        """What the live view shows now."""
        status = self._status
        if self._ready and status is not None:
            with self._lock:
                states = {name: state for name, (state, _, _) in self._parts.items()}
            fresh = {name: replace(part, state=states.get(name, part.state)) for name, part in status.parts.items()}
            fresh_status = replace(status, parts=fresh)
            if narrow(self.console):
                return Text("\n".join(status_lines(fresh_status, doing=self._doing)))
            return status_view(fresh_status, self._history, doing=self._doing)
        now = time.monotonic()
        with self._lock:
            parts = {name: (state, now - since if took is None else took) for name, (state, since, took) in self._parts.items()}
        return starting_view(parts, now - self._began, self._doing)
