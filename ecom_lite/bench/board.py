"""What one look at the real-time board costs while the loader works: all its panels, each computed, one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median
from typing import Final, NamedTuple

import psycopg

from ..dashboards.board import Board
from ..dashboards.boards import load_boards
from ..dashboards.macros import expand
from ..dashboards.queries import options_in
from ..dashboards.timerange import parse_range, step_ms
from ..dashboards.values import values_of
from ..engines.from_settings import logs_dir
from ..errors import CheckFailed, EcomLiteError
from ..observe.figures import ProducerFigures
from ..run.jobs import WORKER, produce_job
from ..run.services import SUMS_EVERY_S
from ..run.sums import Sums
from ..settings.bundled import bundled
from ..settings.override import ShopOverride
from ..settings.tree import Settings
from ..supervise.worker import WorkerService
from ..topic.client import end_offsets
from ..warehouse.connect import Address
from .process import loader_process, reach_of
from .rig import Rig, ask
from .watch import Watch

EVENTS_PER_ORDER: Final = 2.5  # of the shop, with its sign-ups, moves and returns
WARM_S: Final = 6.0
LOOKS: Final = 15
LOOK_EVERY_S: Final = 1.0
STOP_S: Final = 5.0
WATCH_S: Final = 0.1


class Looked(NamedTuple):
    """Milliseconds of the middle look and of the slowest, and of each panel the middle one; `events_per_s` were loaded."""

    board_ms: float
    worst_ms: float
    looks: int
    panels: Mapping[str, float]
    events_per_s: float


def look(rig: Rig, settings: Settings, address: Address, rate: int) -> Looked:
    """At the board, while the shop sends `rate` events a second. Raises CheckFailed where it is not exact."""
    board = next(iter(load_boards(bundled("grafana") / "dashboards").values()))
    topic = settings.kafka.topic
    Sums(lambda: address, minutes=True).refresh()
    with loader_process(rig, settings, address) as loader:
        loader.start()
        with selling(rig, settings, address, rate), keeping_sums(address) as sums:
            pause = threading.Event()
            pause.wait(WARM_S)
            began, before = time.monotonic(), _loaded(address, topic)
            looks = []
            for _ in range(LOOKS):
                looks.append(panels_ms(board, address))
                loader.check()
                pause.wait(LOOK_EVERY_S)
            per_s = (_loaded(address, topic) - before) / (time.monotonic() - began)
            if sums:
                raise EcomLiteError(f"the sums of the facts: {sums[0]}")
        with Watch(address, topic, WATCH_S) as watch:
            watch.until(end_offsets(rig.client, topic), loader.check)
    _require_exact(address)
    totals = [sum(one.values()) for one in looks]
    panels = {title: median(one[title] for one in looks) for title in looks[0]}
    return Looked(median(totals), max(totals), LOOKS, panels, per_s)


def panels_ms(board: Board, address: Address) -> dict[str, float]:
    """Each panel's queries as a browser's first look asks them, on one connection: milliseconds until the last row is here."""
    time_range = parse_range(board.start, board.end, datetime.now(UTC))
    found = {}
    with address.connect("ecom_reader", autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        values = values_of(board.variables, {}, lambda variable: options_in(connection, variable))
        for panel in board.panels:
            step = step_ms(time_range, panel.points, panel.least_step_ms)
            asked = [expand(query.raw_sql, time_range, step, values) for query in panel.queries]
            began = time.perf_counter()
            for each in asked:
                connection.execute(each.sql.encode(), each.parameters).fetchall()
            if asked:
                found[f"{panel.id} {panel.title}"] = (time.perf_counter() - began) * 1000
    return found


def _loaded(address: Address, topic: str) -> int:
    return int(ask(address, "marts_loaded", {"topic": topic})[0])


@contextmanager
def selling(rig: Rig, settings: Settings, address: Address, rate: int) -> Iterator[None]:
    """The shop's process, as a run has it; stopped at the end."""
    shop = settings.shop.model_copy(update={"rate": max(1.0, rate / EVENTS_PER_ORDER)})
    settings = settings.model_copy(update={"shop": shop})
    reach = reach_of(rig, settings, address)
    job = produce_job(settings, reach, events=None, until=None, override=ShopOverride())
    service = WorkerService(
        WORKER, "produce", lambda: job, ProducerFigures, log=logs_dir(rig.settings) / "produce.log",
        registry=rig.servers.registry, ready_s=settings.run.ready_timeout_s, stop_s=STOP_S,
    )  # fmt: skip
    try:
        service.start()
        yield
    finally:
        service.stop()


@contextmanager
def keeping_sums(address: Address) -> Iterator[list[psycopg.Error]]:
    """Brings the sums up to the facts as a run does; what went wrong is in the list."""
    end, failures, sums = threading.Event(), list[psycopg.Error](), Sums(lambda: address, minutes=True)

    def keep() -> None:
        while not end.wait(SUMS_EVERY_S) and not failures:
            try:
                sums.refresh()
            except psycopg.Error as error:
                failures.append(error)

    thread = threading.Thread(target=keep, name="bench-sums", daemon=True)
    thread.start()
    try:
        yield failures
    finally:
        end.set()
        thread.join()


def _require_exact(address: Address) -> None:
    found = ask(address, "totals_and_facts")
    says, holds = found[:4], found[4:]
    if tuple(says) != tuple(holds):
        raise CheckFailed(f"the board says {says}, and the facts are {holds} (lines, orders, units, revenue)")
