"""The status in plain lines: words in place of colours, symbols and columns. For screen readers, dumb and narrow terminals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ..observe.figures import to_come
from ..observe.status import PartStatus, RunStatus
from .view import STEPS, duration, minute, pace


def status_lines(status: RunStatus, now: datetime | None = None, doing: str = "") -> list[str]:
    """The whole picture: a line for each thing."""
    return list(_lines(status, now or datetime.now(UTC), doing))


def _lines(status: RunStatus, now: datetime, doing: str) -> Iterator[str]:
    yield f"{doing or status.state}: up {duration(status.uptime_s)}, {pace(status)}, seed {status.seed}, {status.rss_mb:,} MB"
    clock = f", its clock {minute(status.shop_time)}" if status.shop_time else ""
    yield f"sent: {status.sent:,} events, {status.sent_per_s:,} a second{clock}"
    yield f"loaded: {status.facts:,} facts, {status.loaded_per_s:,} a second"
    yield f"lag: {status.lag:,} events, {status.delay_ms:,} ms from shop to fact"
    yield f"duplicates: {status.duplicates:,}, other events: {status.other:,}, dead letters: {status.dead:,}"
    if status.lost:
        yield f"LOST to retention: {status.lost:,}"
    if status.paused and status.held:
        yield f"paused: {to_come(status.held)}"
    for name, share in status.faults.items():
        yield f"on purpose: {name.replace('_', ' ')} {share:.1%}"
    for name, share in status.campaigns.items():
        yield f"campaign: {name} {share:.0%} off"
    if status.room.scarce:
        yield f"disk: {status.room.problem}"
    for gap in status.gaps:
        yield f"gap: offsets {gap.first} to {gap.last} of {gap.topic}, partition {gap.partition}, {minute(gap.at)}"
    for alert in status.alerts.values():
        if alert.state == "firing":
            yield f"alert ({alert.severity}): {alert.title}: {alert.told}, since {minute(alert.since)}"
    yield f"dbt: {_dbt(status, now)}"
    for name, part in status.parts.items():
        if name not in STEPS:
            yield f"{name}: {_part(part)}"


def _dbt(status: RunStatus, now: datetime) -> str:
    dbt = status.dbt
    if dbt is None:
        return "waiting for the first facts"
    said = dbt.status
    if dbt.finished_at is not None:
        ago = duration(max(0.0, (now - datetime.fromisoformat(dbt.finished_at)).total_seconds()))
        said += f" {ago} ago, {dbt.seconds:.1f} s, {dbt.tests_passed or 0} tests passed"
    return said + (f"; {dbt.message.splitlines()[0]}" if dbt.message else "")


def _part(part: PartStatus) -> str:
    unwell = " but not well" if part.state == "ready" and not part.ok else ""
    again = "" if not part.restarts else f", started again {part.restarts} time{'s' if part.restarts > 1 else ''}"
    return f"{part.state}{unwell}{again}" + (f": {part.detail}" if part.detail else "")
