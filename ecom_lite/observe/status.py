"""What a run says of itself: one picture for the live view, `status`, the state file, the page, and the metrics."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from .figures import AlertFigures, CheckFigures, DbtFigures, LakeFigures, LoaderFigures, ModelFigures, StreamFigures
from .form import VERSION
from .room import Room

LOADER: Final = "load"  # the first loader's part; the others are load-2, load-3, ...


class Gap(Struct, frozen=True, kw_only=True):
    """Offsets `first` .. `last` of one partition that retention removed before they were loaded; found at `at` (ISO 8601)."""

    topic: str
    partition: int
    first: int
    last: int
    count: int
    at: str


class PartStatus(Struct, frozen=True, kw_only=True):
    """One part of the run."""

    state: str = "waiting"  # waiting, starting, ready, restarting, stopping, stopped, failed
    ok: bool = False  # it is ready, and well
    detail: str = ""  # why it is not well: one line
    restarts: int = 0  # since the start of the run
    seconds: float = 0.0  # its last start took


class Totals(Struct, frozen=True, kw_only=True):
    """What the warehouse has counted, over all runs: offsets, and what became of them."""

    sent: int = 0  # events in the shops' ledger
    own: int = 0  # records that came from the shops
    facts: int = 0
    duplicates: int = 0
    other: int = 0  # events that are no order line
    dead: int = 0
    lost: int = 0  # offsets removed by retention before they were loaded

    @property
    def records(self) -> int:
        """Records that were loaded, whatever they became."""
        return self.facts + self.duplicates + self.other + self.dead


class Reason(Struct, frozen=True):
    """Why a run is not ready."""

    part: str
    detail: str


class RunStatus(Totals, frozen=True, kw_only=True):
    """A run at one moment."""

    version: int = VERSION
    state: str = "starting"  # starting, running, draining, stopping, stopped
    pid: int = 0
    uptime_s: int = 0
    seed: int = 0
    rate: float | str | None = None  # orders a second that the shop is to send, "max", "natural"; None: by default
    paused: bool = False  # by a person
    faults: dict[str, float] = {}  # share of the shop's events, by fault; those that are on
    campaigns: dict[str, float] = {}  # share off the price, by category; those that are on
    held: int = 0  # the shop's events that are held back and still come
    shop_time: str = ""  # ISO 8601; "" where it is the real time
    history: str = ""  # "sending", "sent", or "" for a shop without a past
    sent_per_s: int = 0
    loaded_per_s: int = 0
    lag: int = 0  # records on the broker that are not in the warehouse
    delay_ms: int = 0  # from the broker's clock to the commit: the oldest record of the newest batch, of the slowest loader
    rss_mb: int = 0  # the most memory that the run has had
    load: LoaderFigures = LoaderFigures()  # all loaders of this run together, with those that have died
    stream: StreamFigures | None = None
    lake: LakeFigures | None = None  # None before its first report, and where lake.enabled is false
    dbt: DbtFigures | None = None  # None before the first run
    dbt_models: dict[str, ModelFigures] = {}  # by model
    resident_bytes: dict[str, int] = {}  # memory by part that has processes of its own; run: this process and all in it
    disk_bytes: dict[str, int] = {}  # by store, measured once a minute
    room: Room = Room()  # on the fullest disk that it writes to
    gaps: list[Gap] = []  # oldest first
    checks: dict[str, CheckFigures] = {}  # the user's own, where check.every_s is set
    alerts: dict[str, AlertFigures] = {}  # by rule; empty before the first evaluation, and where alerts.enabled is false
    parts: dict[str, PartStatus] = {}  # in the order of their start

    @property
    def loaders(self) -> dict[str, PartStatus]:
        """Those of `parts` that are loaders."""
        return {name: part for name, part in self.parts.items() if name == LOADER or name.startswith(f"{LOADER}-")}

    def not_ready(self) -> list[Reason]:
        """What keeps it from being ready: empty when every part is ready and well."""
        run = [] if self.state == "running" else [Reason("run", self.state)]
        return run + [Reason(name, part.detail or part.state) for name, part in self.parts.items() if not part.ok]


S = TypeVar("S", bound=RunStatus)


class OtherVersion(ValueError):
    """The status was written by another version of ecom_lite."""


class _Version(Struct):
    version: int = 0  # what wrote it knew no versions yet


def read_status(text: bytes, kind: type[S]) -> S:
    """What was written as JSON; fields that this version does not know are ignored.

    Raises OtherVersion, which says so in words, or msgspec.MsgspecError for half a document.
    """
    written = msgspec.json.decode(text, type=_Version).version
    if written != VERSION:
        raise OtherVersion(f"it was written by another version of ecom_lite (its form is {written}, this one reads {VERSION})")
    return msgspec.json.decode(text, type=kind)
