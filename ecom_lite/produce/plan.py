"""What clock a shop has: decided at its first start from the settings, kept in `ops.shops`, and held on to afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..contract.events import EARLIEST
from ..errors import UsageError
from ..settings.tree import Shop
from ..settings.values import duration_text

DEFAULT_RATE: Final = 5.0  # orders per second
SPEED_BACK: Final = timedelta(hours=24)  # a faster clock without a start begins so long ago
NOT_BEHAVIOUR: Final = frozenset(
    {"enabled", "rate", "events", "time_zone"}
)  # may change from start to start; the last is of the marts
CLOCK: Final = ("start", "history", "speed")  # decided once, as `opened_at` and `live_from`; kept to tell one plan from another


@dataclass(frozen=True)
class Opening:
    """What `ops.shops` keeps of a shop's first start. `settings` is None for a shop from before they were kept.

    `opened_at` None: events carry the time of sending. `live_from`: up to here the clock runs at full speed.
    """

    opened_at: datetime | None = None
    live_from: datetime | None = None
    settings: Mapping[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Plan:
    """How this start goes on: `rate` is orders per second, "max", or "natural" (by the shop's clock)."""

    opened_at: datetime | None
    live_from: datetime | None
    rate: float | str
    speed: float | None  # instead of the rate
    keeps_time: bool  # True: times are the shop's clock's, whatever the pace; False: of the sending, once live at a rate


def decide(shop: Shop, stored: Opening, begun: bool, now: datetime) -> Opening:
    """The opening of this shop at `now`. `begun`: it has sent events before, so that `stored` holds.

    Raises UsageError where the settings are none that can work, or do not fit those it was opened with.
    """
    refuse_impossible(shop, now)
    if not begun:
        return _open(shop, now)
    if stored.settings is None:
        stored = Opening(None, None, {**_behaviour(shop), **dict.fromkeys(CLOCK)})
    _refuse_other_clock(shop, stored)
    _refuse_other_behaviour(shop, stored.settings or {})
    return stored


def as_opened(shop: Shop, opening: Opening) -> Shop:
    """The settings of this start, but with what the shop was opened with where a history makes other defaults."""
    kept = opening.settings or {}
    return shop.model_copy(update={name: kept[name] for name in _both_unset(shop, kept)})


def plan(shop: Shop, opening: Opening) -> Plan:
    """What the settings of this start make of the shop's opening."""
    kept = opening.settings or {}
    started = kept.get("start") is not None
    speed = shop.speed or (kept.get("speed") if shop.rate is None else None)
    natural = opening.opened_at is not None and (not started or speed is not None)
    rate = shop.rate if shop.rate is not None else "natural" if natural else DEFAULT_RATE
    keeps_time = started or shop.speed is not None or kept.get("speed") is not None
    return Plan(opening.opened_at, opening.live_from, rate, speed, keeps_time)


def _open(shop: Shop, now: datetime) -> Opening:
    natural = shop.rate == "natural"
    past = timedelta(seconds=shop.history or 0)
    live_from: datetime | None = None
    if shop.start is not None:
        begins, live_from = shop.start, now if natural else shop.start if past else None
    elif shop.speed is not None:
        begins = now - SPEED_BACK
        live_from = begins if past else None
    else:
        begins = now
        live_from = now if past else None
    opened_at: datetime | None = begins
    if past:
        try:
            opened_at = _midnight(begins - past)
        except OverflowError:
            opened_at = None
        if opened_at is None or opened_at < EARLIEST:
            raise UsageError(
                f"shop.history = {duration_text(shop.history or 0)} before {begins:%Y-%m-%d} is before {EARLIEST:%Y},"
                " where no event is valid: give a shorter one"
            )
    elif shop.start is None and shop.speed is None and not natural:
        opened_at = None
    return Opening(opened_at, live_from, _behaviour(shop) | {name: _plain(shop, name) for name in CLOCK})


def _midnight(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _behaviour(shop: Shop) -> dict[str, Any]:
    return shop.model_dump(mode="json", exclude=set(NOT_BEHAVIOUR | set(CLOCK)))


def _plain(shop: Shop, name: str) -> Any:
    return shop.model_dump(mode="json", include={name})[name]


def refuse_impossible(shop: Shop, now: datetime) -> None:
    """Raise UsageError for a clock that no shop can have."""
    if shop.speed is not None and shop.rate is not None:
        raise UsageError(
            f"shop.speed = {shop.speed:g} and shop.rate = {shop.rate}: a shop is paced by one of them; leave the other out"
        )
    if shop.start is not None and shop.start > now:
        raise UsageError(f"shop.start = {shop.start.isoformat()} is in the future (it is {now.isoformat()}): give a past time")


def _both_unset(shop: Shop, kept: Mapping[str, Any]) -> set[str]:
    """What has another value only because this start does not say again that the shop has a history."""
    now, then = _behaviour(Shop()), _behaviour(Shop.model_validate({"history": kept.get("history")}))
    given = _behaviour(shop)
    return {name for name in now if now[name] != then[name] and given[name] == now[name] and kept.get(name) == then[name]}


def _refuse_other_behaviour(shop: Shop, kept: Mapping[str, Any]) -> None:
    """A setting that an older version did not have counts as its default."""
    was = {**_behaviour(Shop()), **kept}
    fits = _both_unset(shop, kept)
    changed = [
        f"shop.{name} was {_words(was[name])} and is {_words(value)}"
        for name, value in _behaviour(shop).items()
        if value != was[name] and name not in fits
    ]
    if changed:
        raise UsageError(f"{_shop_words(shop)} with other settings: {'; '.join(changed)}. {_way_out('Put them back')}")


def _refuse_other_clock(shop: Shop, stored: Opening) -> None:
    kept = stored.settings or {}
    if stored.opened_at is None:
        wanted = [f"shop.{name} = {_words(_plain(shop, name), name)}" for name in CLOCK if getattr(shop, name) is not None]
        if wanted:
            raise UsageError(
                f"{_shop_words(shop)} without a clock of its own, its events carry the time of sending:"
                f" {' and '.join(wanted)} cannot be set now. {_way_out('Leave it out')}"
            )
        return
    for name in ("start", "history"):
        value = _plain(shop, name)
        if value is not None and value != kept.get(name):
            raise UsageError(
                f"{_shop_words(shop)} with its clock at {stored.opened_at.isoformat()}: shop.{name} was"
                f" {_words(kept.get(name), name)} and is {_words(value, name)}. {_way_out('Put it back')}"
            )


def _shop_words(shop: Shop) -> str:
    return f"the shop of seed {shop.seed} was opened"


def _words(value: object, name: str = "") -> object:
    if name == "history" and isinstance(value, int | float):
        return duration_text(value)
    return "unset" if value is None else value


def _way_out(undo: str) -> str:
    return (
        f"{undo}, or start new data: `run --fresh` deletes what this folder has, another `--data-dir` keeps it."
        " Another `--seed` opens a second shop beside this one"
    )
