"""What somebody new does next: three to five short sentences, which depend on how the run is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from msgspec import Struct

from ..observe.figures import to_come
from ..observe.status import RunStatus

MOST: Final = 5
SLOW_PER_S: Final = 20  # below that, little moves on the boards
ENDING: Final = ("draining", "stopping", "stopped")
GOOD_DBT: Final = ("success", "selected")


class Hint(Struct, frozen=True):
    """`command` may be copied into a terminal; `link` leads to a page."""

    text: str
    command: str = ""
    link: str = ""


def hints(status: RunStatus, now: datetime, every_s: float, bootstrap: str, topic: str) -> list[Hint]:
    """What is urgent first; `every_s` is how often the marts are built."""
    return list(_all(status, now, every_s, bootstrap, topic))[:MOST]


def _all(status: RunStatus, now: datetime, every_s: float, bootstrap: str, topic: str) -> Iterator[Hint]:
    shop = "produce" in status.parts
    unwell = [reason.part for reason in status.not_ready() if reason.part != "run"]
    if status.state in ENDING:
        yield Hint("The run is being stopped: what was sent is loaded and counted first. To start it again:", "ecom_lite run")
        return
    if status.state == "starting":
        yield Hint(f"Parts are still starting: {', '.join(unwell) or 'the last of them'}. This page follows them.")
    elif unwell:
        yield Hint(f"Not well just now: {', '.join(unwell)}. Its log below says why; it is started again by itself.")
    if status.lost:
        yield Hint("Kafka's retention removed records before they were loaded. See which:", "ecom_lite check")
    if status.room.scarce:
        yield Hint(f"Make room: {status.room.problem}. Which store takes how much:", "ecom_lite status --json")
    if status.paused:
        late = f" ({to_come(status.held)})" if status.held else ""
        yield Hint(f"The shop is paused{late}. Let it go on by its button under “Steer it”, or:", "ecom_lite resume")
    if not status.facts:
        if shop and not status.paused:
            yield Hint("The first orders are on their way; facts appear within a second of them.")
        elif not shop:
            yield Hint(
                f"Nothing has come yet. Send a file of yours to topic {topic or 'ecommerce_events'}:",
                "ecom_lite produce orders.json",
            )
    if status.history == "sending":
        yield Hint("The shop sends its past at full speed. The marts have all of it soon after the last of it was sent.")
    dbt = status.dbt
    if dbt is None or (dbt.succeeded_at is None and dbt.status in (*GOOD_DBT, "running")):
        if status.facts:
            yield Hint("The marts are being built for the first time; the business board fills when they are there.")
    elif dbt.status not in (*GOOD_DBT, "running"):
        yield Hint("The last dbt run was no success. Its log below says why; this builds the marts again:", "ecom_lite refresh")
    else:
        yield Hint(
            f"The marts are {_age(dbt.succeeded_at, now)}, and built every {_span(every_s)}. To have them now:",
            "ecom_lite refresh",
        )
    if status.dead:
        letters = "One record was" if status.dead == 1 else f"{status.dead:,} records were"
        yield Hint(f"{letters} no valid event, and kept with the reason. Look at them:", "ecom_lite dead list")
    if shop and status.facts and not status.paused and not status.history and _slow(status):
        yield Hint("The shop sells at a leisurely pace. Make the boards move:", "ecom_lite rate 200")
    if status.facts:
        yield Hint("Ask the warehouse anything, in SQL:", "ecom_lite sql")
    if shop:
        yield Hint("Send your own events beside the shop's. See first what becomes of them:", "ecom_lite events try orders.json")
    if status.facts:
        yield Hint("Prove that nothing was lost, from the first byte sent to the last mart:", "ecom_lite check")


def _slow(status: RunStatus) -> bool:
    rate = status.rate
    return status.sent_per_s < SLOW_PER_S if isinstance(rate, str) else rate is None or rate < SLOW_PER_S


def _age(at: str | None, now: datetime) -> str:
    if at is None:
        return "up"
    return f"{_span(max(0.0, (now - datetime.fromisoformat(at)).total_seconds()))} old"


def _span(seconds: float) -> str:
    """As the chain says it (static/chain.js)."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 5_400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"
