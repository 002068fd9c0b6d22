"""The status of a run, built from its supervisor and its meter."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from msgspec import structs

from ..observe.figures import AlertFigures, CheckFigures, InForce, LakeFigures, LoaderFigures, ProducerFigures, StreamFigures
from ..observe.gaps import Gap as Lost
from ..observe.meter import Meter
from ..observe.room import Room
from ..observe.status import Gap, PartStatus, RunStatus
from ..settings.tree import Settings
from ..supervise.supervisor import Supervisor
from ..supervise.worker import WorkerService
from .loaders import Loader, all_lives


def run_status(
    state: str,
    settings: Settings,
    meter: Meter,
    supervisor: Supervisor | None,
    began: float,
    checks: Mapping[str, CheckFigures] | None = None,
    alerts: Mapping[str, AlertFigures] | None = None,
    room: Room | None = None,
) -> RunStatus:
    """How the run is now. `state` is its own word for it; `began` is in seconds of time.monotonic(). Quick; from any thread."""
    health = {} if supervisor is None else supervisor.health()
    figures = {name: each.figures for name, each in health.items()}
    producer, stream = figures.get("produce"), figures.get("stream")
    lake = figures.get("lake")
    shop = producer if isinstance(producer, ProducerFigures) else ProducerFigures(control=InForce(rate=settings.shop.rate))
    load = all_lives(loaders(supervisor))
    return RunStatus(
        **structs.asdict(meter.totals),
        state=state,
        pid=os.getpid(),
        uptime_s=round(time.monotonic() - began),
        seed=settings.shop.seed,
        rate=settings.shop.rate if shop.control.rate is None else shop.control.rate,
        paused=shop.control.paused,
        faults=shop.control.faults,
        campaigns=shop.control.campaigns,
        held=shop.control.held,
        shop_time=shop.shop_time,
        history=shop.history,
        sent_per_s=round(meter.sent_per_s),
        loaded_per_s=round(meter.loaded_per_s),
        lag=load.lag,
        delay_ms=load.delay_ms or 0,
        rss_mb=round(meter.peak_memory / 1e6),
        load=load,
        stream=stream if isinstance(stream, StreamFigures) else None,
        lake=lake if isinstance(lake, LakeFigures) else None,
        dbt=meter.dbt,
        dbt_models=meter.models,
        resident_bytes=meter.memory,
        disk_bytes=meter.disk,
        room=room or Room(),
        gaps=[_gap(gap) for gap in meter.gaps],
        parts=part_status(supervisor),
        checks=dict(checks or {}),
        alerts=dict(alerts or {}),
    )


def part_status(supervisor: Supervisor | None) -> dict[str, PartStatus]:
    """Each part, in the order of their start."""
    if supervisor is None:
        return {}
    health = supervisor.health()
    return {
        slot.name: PartStatus(
            state=slot.state,
            ok=slot.name in health and health[slot.name].ok,
            detail=health[slot.name].detail if slot.name in health else "",
            restarts=slot.restarted,
            seconds=round(slot.started_s, 1),
        )
        for slot in supervisor.slots
    }


def loaders(supervisor: Supervisor | None) -> list[Loader]:
    """The loaders among the services."""
    services = [] if supervisor is None else [slot.service for slot in supervisor.slots]
    return [each for each in services if isinstance(each, WorkerService) and isinstance(each.figures, LoaderFigures)]


def processes(supervisor: Supervisor | None) -> dict[int, str]:
    """The parts that are processes of their own, by pid."""
    health = {} if supervisor is None else supervisor.health()
    return {each.pid: name for name, each in health.items() if each.pid is not None}


def _gap(gap: Lost) -> Gap:
    count = gap.last - gap.first + 1
    return Gap(topic=gap.topic, partition=gap.partition, first=gap.first, last=gap.last, count=count, at=gap.at.isoformat())
