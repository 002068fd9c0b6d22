"""How the status of a run looks to people: the same picture for the live view of `run` and for `ecom_lite status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..observe.figures import to_come
from ..observe.status import Gap, RunStatus, Totals
from .console import console as make_console
from .console import narrow, plain, print_wrapped

MARKS: Final = {
    "waiting": "·", "starting": "◌", "ready": "✔", "restarting": "↻", "stopping": "◌", "stopped": "■", "failed": "✘",
}  # fmt: skip
STYLES: Final = {
    "ready": "green", "starting": "yellow", "restarting": "yellow", "stopping": "yellow", "failed": "bold red",
}  # fmt: skip
STEPS: Final = frozenset({"schema", "topics", "minutes"})  # done once at the start: no part to watch
UNWELL: Final = "!"  # in place of a ready part's mark: it lives and does not work
BARS: Final = "▁▂▃▄▅▆▇█"
SHOWN_GAPS: Final = 3
ALERT_STYLES: Final = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
BAD_DBT: Final = ("error", "tests failed", "selected, tests failed")


def mark(state: str) -> Text:
    """One coloured character for the state of a part."""
    return Text(MARKS.get(state, "?"), style=STYLES.get(state, "dim"))


def starting_view(parts: Mapping[str, tuple[str, float]], elapsed_s: float, doing: str) -> RenderableType:
    """The parts as they come up (or go down): name -> (state, seconds it took or has taken so far)."""
    table = Table.grid(padding=(0, 1))
    for name, (state, seconds) in parts.items():
        shown = "" if state in ("waiting", "stopped") else f"{seconds:.1f} s"
        table.add_row(" ", mark(state), Text(name, style="" if state != "waiting" else "dim"), Text(shown, style="dim"))
    return Group(Text(f"{doing} … {elapsed_s:.0f} s", style="bold"), table)


def status_view(status: RunStatus, history: Sequence[float] = (), now: datetime | None = None, doing: str = "") -> RenderableType:
    """The whole picture, about eight lines. `history`: events loaded in each of the last seconds; `doing`: for the state."""
    figures = Table.grid(padding=(0, 2))
    figures.add_column(min_width=9, style="dim")
    figures.add_column(justify="right", min_width=10)
    figures.add_column(min_width=9)
    figures.add_column(justify="right", style="dim")
    figures.add_column()
    figures.add_row("  sent", _count(status.sent), "events", _rate(status.sent_per_s), Text(_shop_time(status), style="dim"))
    figures.add_row("  loaded", _count(status.facts), "facts", _rate(status.loaded_per_s), Text(spark(history), style="cyan"))
    figures.add_row("  lag", _count(status.lag), "events", f"{status.delay_ms:,} ms", Text("from shop to fact", style="dim"))
    now = now or datetime.now(UTC)
    wrong = [*_room(status), *_gaps(status.gaps), *_alerts(status)]
    return Group(_headline(status, doing), figures, _others(status), *wrong, _dbt(status, now), *_parts(status))


def spark(values: Sequence[float], width: int = 30) -> str:
    """The last `width` values as a line of bars."""
    shown = list(values)[-width:]
    top = max(shown, default=0)
    return "".join(BARS[round(value / top * (len(BARS) - 1))] if top else BARS[0] for value in shown)


def duration(seconds: float) -> str:
    """`42 s`, `3 min 05 s`, `2 h 07 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def account(totals: Totals) -> str:
    """What was sent, and all that became of it: `1,234 events sent; in the warehouse 1,100 order lines, 134 other events`."""
    kinds = {"other events (profiles, cancellations, returns)": totals.other, "duplicates": totals.duplicates}
    kinds |= {"dead letters": totals.dead, "lost to retention": totals.lost}
    rest = "".join(f", {count:,} {what}" for what, count in kinds.items() if count)
    return f"{totals.sent:,} events sent; in the warehouse {totals.facts:,} order lines{rest}"


def _headline(status: RunStatus, doing: str) -> Text:
    doing = doing or status.state
    facts = [f"up {duration(status.uptime_s)}", pace(status), f"seed {status.seed}", f"{status.rss_mb:,} MB"]
    return Text.assemble(("● ", "green" if doing == "running" else "yellow"), (doing, "bold"), ("   " + " · ".join(facts), "dim"))


def pace(status: RunStatus) -> str:
    """How fast the shop is asked to go."""
    rate = status.rate
    if status.paused:
        pace = "paused"
    elif status.room.scarce:
        pace = "paused: no room"
    elif status.history == "sending":
        pace = "sending its past"
    elif rate in ("max", "natural"):
        pace = "its own pace" if rate == "natural" else "as fast as it goes"
    else:
        pace = f"{float(rate or 5):g} orders/s"
    return pace


def _shop_time(status: RunStatus) -> str:
    time = minute(status.shop_time)
    return f"its clock: {time}" if time else ""


def minute(iso: str) -> str:
    return iso[:16].replace("T", " ")


def _others(status: RunStatus) -> Text:
    text = Text("           ", style="dim")
    text.append(f"{status.duplicates:,} duplicates · {status.other:,} other events · ")
    text.append(f"{status.dead:,} dead letters", style="yellow" if status.dead else "")
    if status.lost:
        text.append(f" · {status.lost:,} LOST", style="bold red")
    if status.paused and status.held:
        text.append(f"\n           paused: {to_come(status.held)}", style="yellow")
    if status.faults:
        shares = ", ".join(f"{name.replace('_', ' ')} {share:.1%}" for name, share in status.faults.items())
        text.append(f"\n           on purpose: {shares}", style="yellow")
    if status.campaigns:
        offers = ", ".join(f"{name} {share:.0%} off" for name, share in status.campaigns.items())
        text.append(f"\n           campaign: {offers}", style="cyan")
    return text


def _room(status: RunStatus) -> list[Text]:
    """Why the shop, or everything, stands still though nobody has asked for it."""
    return [Text(f"  {'disk':<9}{status.room.problem}", style="bold red")] if status.room.scarce else []


def _gaps(gaps: Sequence[Gap]) -> list[Text]:
    """What retention removed before it was loaded, the newest first."""
    newest = gaps[: -SHOWN_GAPS - 1 : -1]
    lines = [f"offsets {gap.first} .. {gap.last} of {gap.topic}[{gap.partition}], {minute(gap.at)}" for gap in newest]
    if len(gaps) > SHOWN_GAPS:
        lines.append(f"and {len(gaps) - SHOWN_GAPS} older gaps: `ecom_lite status --json`")
    return [Text(f"  {'gaps' if not number else '':<9}{line}", style="bold red") for number, line in enumerate(lines)]


def _alerts(status: RunStatus) -> list[Text]:
    """Those that fire. What cannot be judged is in `ecom_lite alerts`."""
    firing = [alert for alert in status.alerts.values() if alert.state == "firing"]
    lines = [(f"{alert.title}: {alert.told}, since {minute(alert.since)}", ALERT_STYLES[alert.severity]) for alert in firing]
    return [Text(f"  {'alerts' if not number else '':<9}{line}", style=style) for number, (line, style) in enumerate(lines)]


def _dbt(status: RunStatus, now: datetime) -> Text:
    dbt = status.dbt
    text = Text("  dbt      ", style="dim")
    if dbt is None:
        return text.append("waiting for the first facts")
    state = dbt.status
    text.append(state, style="red" if state in BAD_DBT else "yellow" if state == "running" else "green")
    if dbt.finished_at is not None:
        ago = duration(max(0.0, (now - datetime.fromisoformat(dbt.finished_at)).total_seconds()))
        text.append(f" {ago} ago, {dbt.seconds:.1f} s, {dbt.tests_passed or 0} tests passed", style="dim")
    if dbt.message:
        text.append(f"\n           {dbt.message.splitlines()[0]}", style="red" if state in BAD_DBT else "yellow")
    return text


def _parts(status: RunStatus) -> list[Text]:
    line = Text("  parts    ", style="dim")
    remarks = []
    for name, part in status.parts.items():
        if name in STEPS:
            continue
        unwell = part.state == "ready" and not part.ok
        line.append_text(Text(UNWELL, style="yellow") if unwell else mark(part.state))
        again = f" ×{part.restarts + 1}" if part.restarts else ""
        line.append(f" {name}{again}  ", style="yellow" if unwell else "")
        if part.detail:
            remarks.append(Text(f"           {name}: {part.detail}", style="yellow"))
    return [line, *remarks]


def _count(value: int) -> Text:
    return Text(f"{value:,}", style="bold")


def _rate(per_s: int) -> str:
    return f"{per_s:,}/s"


def print_status(status: RunStatus, addresses: Mapping[str, str]) -> None:
    """For `ecom_lite status`: the same on stdout, with where to look. In plain lines where that is wanted, or has more room."""
    console = make_console()
    where = {"pid": str(status.pid), **addresses}
    if plain() or narrow(console):
        from .words import status_lines

        for line in status_lines(status):
            print_wrapped(console, Text(line))
        for name, address in where.items():
            console.print(Text(f"{name}: {address}"), soft_wrap=True)
        return
    console.print(status_view(status), soft_wrap=True)
    width = max(map(len, where))
    for name, address in where.items():
        console.print(Text.assemble((f"  {name.ljust(width)}  ", "dim"), address), soft_wrap=True)
