"""What a run is made of above its servers: built here, whole, in the order in which the supervisor starts it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..engines.from_settings import logs_dir
from ..engines.ports import free_port
from ..observe.figures import LakeFigures, ProducerFigures
from ..observe.room import Room
from ..observe.status import RunStatus
from ..settings.bundled import boards
from ..settings.data_dir import DASHBOARDS
from ..settings.override import ShopOverride
from ..settings.tree import Dashboards, Settings
from ..supervise.adapters import Behind, Late, Step
from ..supervise.schedule import Schedule
from ..supervise.service import Service
from ..supervise.worker import WorkerService
from . import loaders
from .alerting import Alerting
from .backfill import Backfill
from .grafana_part import GrafanaService, find_grafana
from .jobs import WORKER, Hold, lake_job, produce_job
from .letters import purge_letters
from .marts import Marts
from .own_checks import OwnChecks
from .page_part import PageService, log_in_line, page_port, port_line
from .quicken import Quicken
from .recorder import SAMPLE_EVERY_S, Recorder
from .room import LOOK_EVERY_S, RoomWatch
from .secrets_of import secrets_of
from .servers import Servers
from .shop_control import ShopControl
from .story import FaultStory
from .sums import Sums

if TYPE_CHECKING:  # heavy rooms are imported when they are built, so that small commands start at once
    from ..dashboards.home import Home
    from ..dashboards.page import Page
    from ..engines.spark import SparkGateway
    from ..stream.stream import Stream

SUMS_EVERY_S: Final = 1.0
PURGE_EVERY_S: Final = 3600.0
PRODUCER_STOP_S: Final = 10.0
LAKE_STOP_S: Final = 30.0  # it takes in what the loaders have drained
TOKEN_BYTES: Final = 32

Producer = WorkerService[ProducerFigures]
Part = tuple[Service, Sequence[str]]  # a service, and the names of those that it needs


@dataclass(frozen=True)
class Services:
    """The parts in their order, and those that the run's life talks to. `token` is what control over HTTP asks for."""

    parts: Sequence[Part]
    page: PageService
    grafana: GrafanaService | None
    loaders: Sequence[loaders.Loader]
    producer: Producer | None
    ready: threading.Event  # set it when the run is ready: some parts begin only then
    marts: Marts
    sums: Callable[[], None]  # brings what is kept of the facts up to them: sums, and minutes where Spark does not
    backfill: Backfill
    checks: OwnChecks
    alerts: Alerting
    recorder: Recorder
    room: RoomWatch
    shop: ShopControl | None
    story: FaultStory
    token: str
    dashboards: Dashboards

    def addresses(self) -> dict[str, str]:
        """Where a person looks."""
        grafana = {} if self.grafana is None else {"grafana": self.grafana.url}
        url = self.page.url
        return {"dashboards": url, **port_line(self.dashboards, url), **log_in_line(self.dashboards, url), **grafana}

    def settle(self) -> None:
        """At the end of a bounded run, with all facts in: bring sums and marts up to them."""
        self.sums()
        self.marts.refresh("stop")
        if self.backfill.expected and not self.backfill.pending():
            self.backfill.in_marts()


def build(settings: Settings, servers: Servers, status: Callable[[], RunStatus], written: Callable[[], RunStatus]) -> Services:
    """The services of a run with these settings. Starts nothing.

    The page asks `status` how the run is now, and `written` for what `ecom_lite status` shows: its metrics are that.
    """
    run, registry, logs = settings.run, servers.registry, logs_dir(settings)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    room = RoomWatch(settings)
    held = room.held if servers.postgres is not None else str  # of a database elsewhere the room here says nothing
    marts = Marts(settings, lambda: servers.reach.address, held)
    loading = loaders.workers(settings, lambda: servers.reach, settings.data_dir, registry, held=held)
    producer = shop = None
    if settings.shop.enabled:
        producer = WorkerService(
            WORKER, "produce", lambda: _produce_job(settings, servers, producer, shop), ProducerFigures, log=logs / "produce.log",
            registry=registry, ready_s=run.ready_timeout_s, stop_s=PRODUCER_STOP_S,
        )  # fmt: skip
        shop = ShopControl(settings, producer.send, lambda: producer.figures.control)
    backfill = Backfill(lambda: ProducerFigures() if producer is None else producer.last_figures, lambda: servers.reach.address)
    sums = Sums(lambda: servers.reach.address, minutes=run.light, watermark_s=settings.spark.watermark_s)
    checks = OwnChecks(settings, lambda: servers.reach.address)
    alerts = Alerting(settings, lambda: servers.reach, time.time())
    recorder = Recorder(lambda: servers.reach, written)
    story = FaultStory(servers.supervisor, shop, status, settings.faults.late_s)
    binary = find_grafana(settings.grafana.home) if settings.grafana.enabled else None
    grafana = None if binary is None else GrafanaService(binary, settings, registry, lambda: servers.reach.address)
    page = PageService(
        lambda: _page(settings, servers, status, written, shop, marts, token, _home(settings, servers, story, grafana, token))
    )
    gateway = servers.spark

    # In the reverse of the order in which they must stop.
    parts: list[Part] = [
        (Step("boards", lambda: _write_boards(settings)), []),
        (page, ["schema", "boards"]),
        (Step("minutes", lambda: _settle_minutes(settings, servers)), ["schema", "topics"]),
    ]
    if grafana is not None:
        parts.append((grafana, ["schema", "boards"]))
    if gateway is not None:
        parts.append((Late("stream", lambda: _stream(settings, servers, gateway, room.held)), ["spark", "minutes"]))
    parts.append(
        (
            Late("schedule", lambda: _schedule(settings, servers, marts, sums.refresh, backfill, checks, alerts, recorder, room)),
            ["schema"],
        )
    )
    ready = threading.Event()
    lake = None
    if settings.lake.enabled:
        lake = WorkerService(
            WORKER, "lake", lambda: lake_job(settings, servers.reach, room.held()), LakeFigures, log=logs / "lake.log",
            registry=registry, ready_s=run.ready_timeout_s, stop_s=LAKE_STOP_S,
        )  # fmt: skip
        parts.append((Behind(lake, ready), ["schema"]))
    parts += [(loader, ["minutes"]) for loader in loading]
    if producer is not None:
        # Last, as a viewer would expect; it also keeps the first dbt run out of the start, where Spark needs both cores.
        watching = ["page", *([] if gateway is None else ["stream"])]
        parts.append((producer, [*(loader.name for loader in loading), *watching]))
    _tell_of_room(room, servers, shop, loading, lake)
    slow = [engine for engine in (servers.kafka, gateway) if engine is not None and engine.archive_missing]
    if slow and run.fast_start:
        parts.append((Quicken(slow), [part.name for part, _ in parts]))
    return Services(
        parts, page, grafana, loading, producer, ready, marts, sums.refresh, backfill, checks, alerts, recorder, room, shop,
        story, token, settings.dashboards,
    )  # fmt: skip


def _tell_of_room(
    room: RoomWatch, servers: Servers, shop: ShopControl | None, loading: Sequence[loaders.Loader],
    lake: WorkerService[LakeFigures] | None,
) -> None:  # fmt: skip
    """Those who write to a server of ours are told; the lake's files are here in any case. (dbt and Spark ask for themselves.)"""
    if shop is not None and (servers.kafka is not None or servers.postgres is not None):
        room.hear(lambda now: shop.no_room(now.scarce))
    for loader in loading if servers.postgres is not None else ():
        room.hear(partial(_hold, loader))
    if lake is not None:
        room.hear(partial(_hold, lake))


def _hold(worker: WorkerService[Any], now: Room) -> None:
    worker.send(Hold(now.held))


def _produce_job(settings: Settings, servers: Servers, producer: Producer | None, shop: ShopControl | None) -> msgspec.Struct:
    """A restarted producer goes on to the end that the first one has set itself, with all overrides of this run."""
    until = None if producer is None else producer.last_figures.until
    return produce_job(
        settings, servers.reach, events=settings.shop.events if until is None else None, until=until,
        override=ShopOverride() if shop is None else shop.override,
    )  # fmt: skip


def _settle_minutes(settings: Settings, servers: Servers) -> None:
    from ..stream.source import settle_source

    settle_source(settings, servers.reach.address.only("ecom_stream"), servers.reach.client)


def _write_boards(settings: Settings) -> None:
    from ..dashboards.boards import load_boards
    from ..dashboards.currency import write_boards

    folder = settings.data_dir / DASHBOARDS
    if settings.dashboards.folder is not None:
        load_boards(boards(settings))  # what is wrong is said of the user's file, not of what is made of it
    write_boards(boards(settings), folder, settings.currency.of_figures, settings.shop.time_zone)


def _page(
    settings: Settings, servers: Servers, status: Callable[[], RunStatus], written: Callable[[], RunStatus],
    shop: ShopControl | None, marts: Marts, token: str, home: Home,
) -> Page:  # fmt: skip
    from ..dashboards.page import Page

    wanted = settings.dashboards
    return Page(
        servers.reach.address.only("ecom_reader"), settings.data_dir / DASHBOARDS, wanted.host, page_port(wanted),
        status, control=None if shop is None else shop.change, marts=marts, token=token, written=written, home=home,
        password=wanted.password.get_secret_value(), other_port=None if wanted.port else lambda: free_port(wanted.host),
    )  # fmt: skip


def _home(settings: Settings, servers: Servers, story: FaultStory, grafana: GrafanaService | None, token: str) -> Home:
    from ..dashboards.home import Home

    return Home(
        data_dir=settings.data_dir,
        secrets=lambda: secrets_of(settings, servers.reach.address, token),
        story=story,
        addresses=lambda: {} if grafana is None or not grafana.url else {"Grafana": grafana.url},
        bootstrap=lambda: servers.reach.bootstrap,
        topic=settings.kafka.topic,
        marts_every_s=settings.transform.every_s,
    )


def _stream(settings: Settings, servers: Servers, gateway: SparkGateway, held: Callable[[], str]) -> Stream:
    from ..stream.stream import Stream

    reach = servers.reach
    return Stream(settings, reach.address.only("ecom_stream"), reach.bootstrap, settings.data_dir, gateway, held)


def _schedule(
    settings: Settings, servers: Servers, marts: Marts, sums: Callable[[], None], backfill: Backfill, checks: OwnChecks,
    alerts: Alerting, recorder: Recorder, room: RoomWatch,
) -> Schedule:  # fmt: skip
    from ..transform import add_runs, many_facts_wait, new_facts_exist

    schedule = Schedule()
    address = servers.reach.address.only("ecom_dbt")
    many = settings.transform.early_facts
    add_runs(
        schedule, settings.transform.every_s, marts.refresh, lambda: new_facts_exist(address), backfill,
        early=(lambda: many_facts_wait(address, many)) if many else None, held=marts.held,
    )  # fmt: skip
    schedule.every("sums of the facts", SUMS_EVERY_S, sums, at_once=True)
    schedule.every("room on the disk", LOOK_EVERY_S, room.look)
    schedule.every("health sample", SAMPLE_EVERY_S, recorder.take)
    checks.register(schedule)
    if days := settings.load.dead_letter_days:
        letters_of = servers.reach.address.only("ecom_producer")
        schedule.every("old dead letters", PURGE_EVERY_S, lambda: purge_letters(letters_of, settings.topics, days), at_once=True)
    alerts.register(schedule)
    return schedule
