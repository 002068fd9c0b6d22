"""Events of the simulated shop for a test: the same ones for the same seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..export.generate import Plan, chunks
from ..settings.load import NO_FILE, load_settings

START: Final = datetime(2026, 1, 1, tzinfo=UTC)  # the shop opens: a fixed day, so that events are the same on every day
SEED: Final = 7


def shop_events(count: int, *, seed: int = SEED, start: datetime | None = None, **shop: Any) -> list[dict[str, Any]]:
    """The first `count` events of a shop that opens at `start` (2026-01-01, UTC): order lines, sign-ups, cancellations, returns.
    `shop` are settings of its section. Equal arguments give equal events, a `start` without a zone is UTC. Raises ConfigError."""
    flags = {"shop.seed": seed, **{f"shop.{name}": value for name, value in shop.items()}}
    settings = load_settings(NO_FILE, env={}, flags=flags).shop
    opened = start or START
    if opened.tzinfo is None:  # or else this machine's zone would count
        opened = opened.replace(tzinfo=UTC)
    found: list[Mapping[str, Any]] = []
    for chunk in chunks(settings, Plan(opened, count, None)):
        found += [json.loads(line) for line in chunk.lines.splitlines()]
    return [dict(event) for event in found]
