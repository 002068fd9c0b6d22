"""One who asks for all who see the same of a board, and tells each of them what changed. All on the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable
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
HEAL_S: Final = 5.0  # at most, until what cannot be shown now is asked again
RETRY: Final = b"retry: 2000\n\n"  # milliseconds until a browser connects again
BEAT: Final = b": here\n\n"
CLIENT: Final = "live"  # as which tickers ask
SERIES: Final = "time_series"

Told = dict[str, bytes]  # by what it is of: a newer message takes the place of an older one


class Viewer:
    """One open stream. What it has not been sent yet is one message of a kind: who is slow misses old ones."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.ended = False
        self._waiting: Told = {}
        self._news = asyncio.Event()

    def tell(self, kind: str, message: bytes) -> None:
        self._waiting.pop(kind, None)
        self._waiting[kind] = message
        self._news.set()

    def end(self) -> None:
        self.ended = True
        self._news.set()

    async def messages(self, heartbeat_s: float) -> AsyncIterator[bytes]:
        """Until the end; after `heartbeat_s` without news a comment."""
        yield RETRY
        while not self.ended:
            try:
                async with asyncio.timeout(heartbeat_s):
                    await self._news.wait()
            except TimeoutError:
                yield BEAT
                continue
            self._news.clear()
            told, self._waiting = self._waiting, {}
            if told:
                yield b"".join(told.values())


class Ticker:
    """Asks for the panels of one board and view each `period_s`, while there is a viewer."""

    def __init__(
        self, board: Board, view: View, period_s: float, queries: Queries, turnstile: Turnstile, room: asyncio.Semaphore
    ) -> None:
        self.viewers: set[Viewer] = set()
        self._board, self._view, self._period_s = board, view, period_s
        self._queries, self._turnstile, self._room = queries, turnstile, room
        self._told: Told = {}
        self._answers: dict[int, Answer] = {}
        self._digests: dict[str, bytes] = {}
        self._alone = asyncio.Event()

    def join(self, viewer: Viewer) -> None:
        """It is told at once what the others have been told."""
        self.viewers.add(viewer)
        self._alone.clear()
        for kind, message in self._told.items():
            viewer.tell(kind, message)

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        if not self.viewers:
            self._alone.set()

    async def run(self) -> None:
        """Returns when nobody looks any more."""
        panels = [panel for panel in self._board.panels if panel.queries]
        while self.viewers:
            began = time.monotonic()
            async with asyncio.TaskGroup() as asking:
                for panel in panels:
                    asking.create_task(self._show(panel))
                asking.create_task(self._mark())
            self._tell("tick", event("tick", encoded({"at": round(time.time() * 1000)})))
            troubled = any(answer.state in ("waiting", "error") for answer in self._answers.values())
            period_s = min(self._period_s, HEAL_S) if troubled else self._period_s
            await self._pause(began + period_s - time.monotonic())

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._alone.wait()
        except TimeoutError:
            pass

    def _tell(self, kind: str, message: bytes) -> None:
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
            await self._pause(AGAIN_S)
        return None

    async def _show(self, panel: Panel) -> None:
        view, last, kind = self._view, self._answers.get(panel.id), f"panel {panel.id}"

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


def event(name: str, data: bytes) -> bytes:
    """One server-sent event; `data` has no line ends."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def digest(shown: bytes, place: int) -> bytes:
    """Equal for what looks the same."""
    return hashlib.blake2b(shown, digest_size=16, salt=place.to_bytes(16, "little", signed=True)).digest()


def _place(panel: Panel, answer: Answer) -> int:
    """Where a curve's time axis begins, in its steps: the same curve is drawn anew when it has moved by a point."""
    return answer.time_range.start_ms // answer.step_ms if any(query.format == SERIES for query in panel.queries) else 0
