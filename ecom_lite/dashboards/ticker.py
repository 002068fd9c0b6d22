"""One who asks for all who see the same of a board, and tells each of them what changed. All on the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any, Final

from ..errors import DashboardError
from .answer import Answer
from .answers import encoded
from .board import Board, Panel
from .queries import Queries
from .turnstile import Busy, Turnstile
from .view import View

logger = logging.getLogger("ecom_lite.dashboards")

AGAIN_S: Final = 1.0  # after Busy
HEAL_S: Final = 5.0  # at most, until what cannot be shown now is asked again, and with it its whole board
HEALED_SLOWER: Final = 10  # times that an error doubles this: it may stay, as of a board of one's own
RETRY: Final = b"retry: 2000\n\n"  # milliseconds until a browser connects again
BEAT: Final = b"event: beat\ndata: {}\n\n"  # no comment: of those a browser's page is told nothing
CLIENT: Final = "live"  # as which tickers ask
SERIES: Final = "time_series"
TICK: Final = "tick"

Kind = int | str  # of a panel its id
Told = dict[Kind, bytes]  # a newer message takes the place of an older one of its kind


class Viewer:
    """One open stream. What it has not been sent yet is one message of a kind: who is slow misses old ones.

    `panels` are those that it shows. Where `still_in` says no, nothing more is sent: the log-in of who looks has ended.
    """

    def __init__(self, client: str, panels: frozenset[int] = frozenset(), still_in: Callable[[], bool] = lambda: True) -> None:
        self.client = client
        self.panels = panels
        self.ended = False
        self._still_in = still_in
        self._waiting: Told = {}
        self._news = asyncio.Event()

    def tell(self, kind: Kind, message: bytes) -> None:
        """Of a panel only where it shows that."""
        if isinstance(kind, int) and kind not in self.panels:
            return
        self._waiting.pop(kind, None)
        self._waiting[kind] = message
        self._news.set()

    def end(self) -> None:
        self.ended = True
        self._news.set()

    def wake(self) -> None:
        """It looks at once whether it may go on."""
        self._news.set()

    async def messages(self, heartbeat_s: float) -> AsyncIterator[bytes]:
        """Until the end; after `heartbeat_s` without news a beat."""
        yield RETRY
        while not self.ended:
            try:
                async with asyncio.timeout(heartbeat_s):
                    await self._news.wait()
            except TimeoutError:
                self._waiting["beat"] = BEAT
            if not self._still_in():
                return
            self._news.clear()
            told, self._waiting = self._waiting, {}
            if told:
                yield b"".join(told.values())


class Ticker:
    """Asks for the panels of one board and view that any of its viewers shows, each `period_s`, while there is a viewer."""

    def __init__(
        self, board: Board, view: View, period_s: float, queries: Queries, turnstile: Turnstile, room: asyncio.Semaphore
    ) -> None:
        self.viewers: set[Viewer] = set()
        self._board, self._view, self._period_s = board, view, period_s
        self._queries, self._turnstile, self._room = queries, turnstile, room
        self._told: Told = {}
        self._answers: dict[int, Answer] = {}
        self._digests: dict[Kind, bytes] = {}
        self._alone = asyncio.Event()
        self._shown = frozenset[int]()  # what is asked in this round, or was in the last one
        self._due = asyncio.Event()  # not to wait for the period's end

    def join(self, viewer: Viewer) -> None:
        """It is told at once what the others have been told; what only this one shows is asked at once."""
        self.viewers.add(viewer)
        self._alone.clear()
        complete = viewer.panels <= self._told.keys()
        for kind, message in self._told.items():
            if complete or kind != TICK:
                viewer.tell(kind, message)
        if not viewer.panels <= self._shown:
            self._due.set()

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        if not self.viewers:
            self._alone.set()
            self._due.set()

    async def run(self) -> None:
        """Returns when nobody looks any more."""
        failed = 0  # rounds, one after the other, that had an error
        while self.viewers:
            began = time.monotonic()
            self._due.clear()
            self._shown = shown = frozenset[int]().union(*(viewer.panels for viewer in self.viewers))
            self._forget_all_but(shown)
            async with asyncio.TaskGroup() as asking:
                for panel in self._board.panels:
                    if panel.id in shown:
                        asking.create_task(self._show(panel))
                asking.create_task(self._mark())
            self._tick(shown)
            states = {answer.state for answer in self._answers.values()}
            failed = failed + 1 if "error" in states else 0
            await _wait(self._due, began + pause_s(self._period_s, states, failed) - time.monotonic())

    def _forget_all_but(self, shown: frozenset[int]) -> None:
        """What nobody shows any more is not asked, so that it grows old: nobody is to be told it later."""
        for kept in (self._told, self._digests, self._answers):
            for kind in [kind for kind in kept if isinstance(kind, int) and kind not in shown]:
                del kept[kind]

    def _tick(self, asked: frozenset[int]) -> None:
        message = self._told[TICK] = event(TICK, encoded({"at": round(time.time() * 1000)}))
        for viewer in self.viewers:
            if viewer.panels <= asked:  # else its own were not asked yet: it came meanwhile
                viewer.tell(TICK, message)

    def _tell(self, kind: Kind, message: bytes) -> None:
        self._told[kind] = message
        for viewer in self.viewers:
            viewer.tell(kind, message)

    async def _ask(self, work: Callable[[], Any]) -> Any:
        """None when nobody looks any more, or the question itself is wrong by now (a value that has gone from its list)."""
        while self.viewers:
            async with self._room:
                try:
                    return await self._turnstile.run(CLIENT, work) if self.viewers else None
                except Busy:
                    pass
                except DashboardError as error:
                    logger.info("board %s, live: %s", self._board.uid, error)
                    return None
            await _wait(self._alone, AGAIN_S)
        return None

    async def _show(self, panel: Panel) -> None:
        view, last, kind = self._view, self._answers.get(panel.id), panel.id

        def work() -> tuple[Answer, bytes, bytes] | None:
            answer = self._queries.panel(self._board, panel, view.start, view.end, view.values, view.compare)
            if last is not None and last.frames is answer.frames and last.previous is answer.previous and answer.state == "ok":
                return None  # kept: nobody has asked the database since
            shown = encoded(answer.shown())
            return answer, shown, digest(shown, _place(panel, answer))

        found = await self._ask(work)
        if found is None:
            return
        answer, shown, known = found
        self._answers[panel.id] = answer
        if self._digests.get(kind) != known:
            self._digests[kind] = known
            head = encoded({"id": panel.id, **answer.moment()})
            self._tell(kind, event("panel", head[:-1] + b"," + shown[1:]))

    async def _mark(self) -> None:
        view = self._view
        if not self._board.annotations:
            return

        def work() -> bytes:
            marks = self._queries.marks(self._board, view.start, view.end, view.values)
            return encoded([mark.as_json() for mark in marks])

        found = await self._ask(work)
        if found is not None and self._digests.get("annotations") != (known := digest(found, 0)):
            self._digests["annotations"] = known
            self._tell("annotations", event("annotations", found))


async def _wait(happens: asyncio.Event, seconds: float) -> None:
    """Until it happens, or as long."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await happens.wait()
    except TimeoutError:
        pass


def pause_s(period_s: float, states: Collection[str], failed: int) -> float:
    """How long from the begin of a round to the next one, by the states of its panels and how many in a row had an error."""
    if not {"waiting", "error"} & set(states):
        return period_s
    return min(period_s, HEAL_S * 2.0 ** min(max(failed - 1, 0), HEALED_SLOWER))


def event(name: str, data: bytes) -> bytes:
    """One server-sent event; `data` has no line ends."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def digest(shown: bytes, place: int) -> bytes:
    """Equal for what looks the same."""
    return hashlib.blake2b(shown, digest_size=16, salt=place.to_bytes(16, "little", signed=True)).digest()


def _place(panel: Panel, answer: Answer) -> int:
    """Where a curve's time axis begins, in its steps: the same curve is drawn anew when it has moved by a point."""
    return answer.time_range.start_ms // answer.step_ms if any(query.format == SERIES for query in panel.queries) else 0
