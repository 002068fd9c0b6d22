"""What the boards cost at several sizes of the fact table: each panel, the page's bytes, its first paint, and eight who look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from statistics import mean
from typing import Any, Final, NamedTuple

from ..dashboards import Page
from ..errors import CheckFailed, EcomLiteError
from ..observe.status import RunStatus
from ..rollups import Rollups
from ..run.sums import Sums
from ..settings.bundled import bundled
from ..settings.data_dir import DBT
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from ..transform import Transform
from ..warehouse.connect import Address
from .backlog import fill
from .board import keeping_sums, selling
from .latency import RATE, delays, percentile
from .looks import KILOBYTE, Looked, Site, look_at, page_bytes
from .marts import BYTES_PER_FACT, CUSTOMERS, ENGINES_BYTES, PRODUCTS, filled, sizes_of
from .paint import Painted, paint
from .process import load, loader_process
from .rig import Rig
from .told import Figures, measured
from .viewers import Viewers

SIZES: Final = "1000000,3000000,10000000"  # rows of fact_sales
LOOKS: Final = 9
WARM_S: Final = 6.0
TURNS: Final = (False, True, True, False)  # with viewers or without: what grows meanwhile falls on both alike
BYTES_PER_EVENT: Final = 2_500

Say = Callable[[str], None]


class Viewed(NamedTuple):
    """What `viewers` of them do to the loader: events/s at full speed, and milliseconds to the commit at RATE events/s."""

    viewers: int
    by: str
    rate_without: float
    rate_with: float
    p95_without: float
    p95_with: float
    seen: int


class Measured(NamedTuple):
    """Of one size: boards by uid; `painted` is empty where no browser was found, and `why` says so."""

    boards: Mapping[str, Looked]
    painted: Mapping[str, Painted]
    why: str
    page_bytes: int
    viewers: Viewed


class Ask(NamedTuple):
    """What of: `events` loaded at full speed, `latency_s` seconds of delays, `rate` events/s beside the looks."""

    events: int
    latency_s: float
    rate: int
    viewers: int


def bench_dashboards(settings: Settings, terminal: Terminal, *, facts: str, ask: Ask, command: str) -> Figures:
    """Per size what `figures_of` says; docs/benchmarks.md says what each is.

    Raises UsageError, CheckFailed where the loader's count does not close, and EcomLiteError.
    """
    sizes = sizes_of(facts)

    def measure(own: Rig) -> Figures:
        found = []
        for size in sizes:
            terminal.say(f"{size:,} facts")
            found.append(figures_of(size, _measure(own, size, ask, terminal.say)))
        return {"sizes": found, "rate": ask.rate, "events": ask.events, "latency_s": ask.latency_s, "latency_rate": RATE}

    shop = settings.shop.model_copy(update={"customers": CUSTOMERS, "products": PRODUCTS})
    needed = ENGINES_BYTES + sizes[-1] * BYTES_PER_FACT + len(TURNS) * ask.events * BYTES_PER_EVENT
    return measured(settings.model_copy(update={"shop": shop}), terminal, needed, measure, command)


def _measure(own: Rig, size: int, ask: Ask, say: Say) -> Measured:
    with own.warehouse(f"dashboards_{size}") as address:
        filled(own, address, size)
        Rollups(address).refresh()
        Sums(lambda: address, minutes=True).refresh()
        _build(own, address, size)
        own.settle()
        page = Page(address, bundled("grafana") / "dashboards", "127.0.0.1", 0, lambda: RunStatus(state="running"))
        page.start()
        try:
            return _looked(own, address, page.url, size, ask, say)
        finally:
            page.stop()


def _build(own: Rig, address: Address, size: int) -> None:
    folder = own.settings.data_dir / DBT / f"dashboards_{size}"
    transform = Transform(address.only("ecom_dbt"), bundled("dbt_project"), folder, own.settings.transform.threads)
    run = transform.run("bench", full_refresh=True)
    if run.status != "success":
        raise CheckFailed(f"dbt run {run.run_id}: {run.status}: {run.message}")


def _looked(own: Rig, address: Address, url: str, size: int, ask: Ask, say: Say) -> Measured:
    site = Site(url)
    try:
        boards = site.boards()
        page = page_bytes(site, f"/d/{boards[0]['uid']}")
        settings = own.topic(f"dashboards_{size}_looks")
        with loader_process(own, settings, address) as loader:
            loader.start()
            with selling(own, settings, address, ask.rate), keeping_sums(address) as failures:
                threading.Event().wait(WARM_S)
                looked = {board["uid"]: look_at(site, board, LOOKS) for board in boards}
                painted, why = paint(url, [board["uid"] for board in boards])
                loader.check()
                _require_kept(failures)
    finally:
        site.close()
    for board in boards:
        at = looked[board["uid"]]
        say(f"  {board['title']}: {at.board_ms:.0f} ms, {len(at.panels)} panels, the slowest {max(at.panels.values()):.0f} ms")
    say(f"  page {page / KILOBYTE:.0f} KB; first paint {_shown(painted) or why}")
    viewed = _view(own, address, url, size, ask)
    say(
        f"  {viewed.viewers} viewers by {viewed.by}: {viewed.rate_with:,.0f} events/s, without {viewed.rate_without:,.0f}; "
        f"delay p95 {viewed.p95_with:.0f} ms, without {viewed.p95_without:.0f} ms"
    )
    return Measured(looked, painted, why, page, viewed)


def _shown(painted: Mapping[str, Painted]) -> str:
    return f"{max(each.first_paint_ms for each in painted.values()):.0f} ms" if painted else ""


def _view(own: Rig, address: Address, url: str, size: int, ask: Ask) -> Viewed:
    """Backlogs at full speed, then events at an even rate, each with viewers and without in the same warehouse."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    late: dict[bool, list[float]] = {False: [], True: []}
    seen, by, first = 0, "", own.settings.shop.customers  # orders of its own: those of the looks come before them
    first += round(ask.rate * 3_600)
    for kind in ("rate", "delay"):
        for turn, looked_at in enumerate(TURNS):
            settings = own.topic(f"dashboards_{size}_{kind}_{turn}")
            sent = fill(settings, own.client, ask.events, first) if kind == "rate" else None
            own.settle()
            with Viewers(url, ask.viewers if looked_at else 0) as viewers, keeping_sums(address) as failures:
                if looked_at:
                    viewers.look()
                if sent is not None:
                    rates[looked_at].append(load(own, settings, address, sent).rate)
                else:
                    late[looked_at] += delays(own, settings, address, ask.latency_s, first)
                _require_kept(failures)
            seen, by = seen + viewers.seen, viewers.by
            first += ask.events if kind == "rate" else round(RATE * ask.latency_s) + 1
    p95 = {looked_at: percentile(sorted(found), 0.95) for looked_at, found in late.items()}
    return Viewed(ask.viewers, by, mean(rates[False]), mean(rates[True]), p95[False], p95[True], seen)


def _require_kept(failures: list[Any]) -> None:
    if failures:
        raise EcomLiteError(f"the sums of the facts: {failures[0]}")


def figures_of(size: int, at: Measured) -> dict[str, Any]:
    """The figures of one size; docs/benchmarks.md says what each is."""
    slowest = max(
        ((ms, uid, name) for uid, board in at.boards.items() for name, ms in board.panels.items()), default=(0.0, "", "")
    )
    viewers = at.viewers
    return {
        "facts": size,
        "board_ms": {uid: round(board.board_ms, 1) for uid, board in at.boards.items()},
        "board_worst_ms": {uid: round(board.worst_ms, 1) for uid, board in at.boards.items()},
        "panels_ms": {uid: {name: round(ms, 2) for name, ms in board.panels.items()} for uid, board in at.boards.items()},
        "slowest_panel_ms": round(slowest[0], 1),
        "slowest_panel": f"{slowest[1]}: {slowest[2]}",
        "data_kb": {uid: round(board.data_bytes / KILOBYTE, 1) for uid, board in at.boards.items()},
        "page_kb": round(at.page_bytes / KILOBYTE, 1),
        "first_paint_ms": {uid: round(each.first_paint_ms) for uid, each in at.painted.items()} or None,
        "all_panels_ms": {uid: round(each.all_panels_ms) for uid, each in at.painted.items()} or None,
        "first_paint_why": at.why,
        "viewers": {
            "viewers": viewers.viewers,
            "by": viewers.by,
            "seen": viewers.seen,
            "load_rate": round(viewers.rate_with),
            "load_rate_without": round(viewers.rate_without),
            "p95_ms": round(viewers.p95_with, 1),
            "p95_ms_without": round(viewers.p95_without, 1),
        },
        "ratios": {
            "load_rate_to_without": round(viewers.rate_with / viewers.rate_without, 3),
            "p95_to_without": round(viewers.p95_with / viewers.p95_without, 3),
        },
    }
