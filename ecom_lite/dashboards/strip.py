"""The run's status in the words of the page's strip: what flows from the producer to the marts, and how well each does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import to_builtins

from ..observe.status import PartStatus, RunStatus


def strip(status: RunStatus) -> dict[str, Any]:
    """What static/strip.js draws, and firing.js. All loaders are one there: the rate of all, the state of the worst."""
    shown = {"producer": {"produce"}, "kafka": {"kafka"}, "loader": set(status.loaders), "postgres": {"postgres"}}
    services = {
        name: _together({part: status.parts[part] for part in status.parts if part in parts}) for name, parts in shown.items()
    }
    return {
        "producer_rate": status.sent_per_s,
        "loader_rate": status.loaded_per_s,
        "lag": status.lag,
        "facts": status.facts,
        "dead_letters": status.dead,
        "last_dbt_run": to_builtins(status.dbt),
        "firing": _firing(status),
        "services": {name: service for name, service in services.items() if service is not None},
    }


def _firing(status: RunStatus) -> list[dict[str, str]]:
    """The alerts that fire, and that there is no room on the disk, which needs no rule."""
    room = [{"title": status.room.problem, "severity": "critical"}] if status.room.scarce else []
    return room + [{"title": each.title, "severity": each.severity} for each in status.alerts.values() if each.state == "firing"]


def _together(parts: Mapping[str, PartStatus]) -> dict[str, Any] | None:
    """None where the run has no such part: it is somebody else's."""
    if not parts:
        return None
    bad = {name: part.detail or part.state for name, part in parts.items() if not part.ok}
    named = "; ".join(f"{name}: {detail}" if len(parts) > 1 else detail for name, detail in bad.items())
    return {"ok": not bad, "detail": named or "ready"}
