"""Server-sent events: who looks at which board, within limits; viewers of the same share one ticker. All on the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .answers import NEVER, encoded
from .board import Board
from .queries import Queries
from .ticker import Ticker, Viewer, event
from .turnstile import Busy, Turnstile
from .view import View

logger = logging.getLogger("ecom_lite.dashboards")

AT_ONCE: Final = 2  # panels of all tickers together: less than the connections, so that who asks once is not behind them
HEARTBEAT_S: Final = 10.0
STATUS_S: Final = 2.0


@dataclass(frozen=True)
class Limits:
    """Of viewers, for one address and in all, and of tickers."""

    viewers: int = 256
    per_client: int = 64
    tickers: int = 48


class Live:
    """The viewers of all boards and their tickers. `status` is what the strip shows; it is called on a thread.

    To be used on one event loop.
    """

    def __init__(
        self, queries: Queries, turnstile: Turnstile, status: Callable[[], Mapping[str, Any]], limits: Limits | None = None,
        heartbeat_s: float = HEARTBEAT_S, status_s: float = STATUS_S,
    ) -> None:  # fmt: skip
        self.turnstile = turnstile
        self._queries, self._status, self._limits = queries, status, limits or Limits()
        self._heartbeat_s, self._status_s = heartbeat_s, status_s
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tickers: dict[tuple[str, View, int], Ticker] = {}
        self._viewers: dict[Viewer, Ticker] = {}
        self._clients: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._shown: bytes | None = None
        self._over = False

    @property
    def viewers(self) -> int:
        """Open streams."""
        return len(self._viewers)

    @property
    def tickers(self) -> int:
        """Those that ask."""
        return len(self._tickers)

    def shows(self, board: Board, view: View) -> bool:
        """True where somebody looks at that already: then it is a view that there is."""
        return any(uid == board.uid and seen == view for uid, seen, _ in self._tickers)

    def join(
        self, client: str, board: Board, view: View, refresh_ms: int, panels: frozenset[int],
        still_in: Callable[[], bool] = lambda: True,
    ) -> Viewer:  # fmt: skip
        """A viewer of these `panels`, which has to `leave`; for as long as it is `still_in`. Raises Busy: there are too many."""
        key = (board.uid, view, refresh_ms)
        if self._over:
            raise Busy("busy: the page is about to end")
        if self._clients[client] >= self._limits.per_client:
            raise Busy(f"busy: {client} has {self._limits.per_client} live views open")
        if len(self._viewers) >= self._limits.viewers:
            raise Busy(f"busy: {self._limits.viewers} live views are open")
        if key not in self._tickers and len(self._tickers) >= self._limits.tickers:
            raise Busy(f"busy: {self._limits.tickers} different live views are open")
        viewer = Viewer(client, panels, still_in)
        if self._watching is None or self._watching.done():
            self._watching = self._begin(self._strip(), "the strip's status", self._viewers)
        if self._shown is not None:
            viewer.tell("status", self._shown)
        ticker = self._tickers.get(key)
        if ticker is None:
            ticker = self._tickers[key] = Ticker(board, view, refresh_ms / 1000, self._queries, self.turnstile, self._room)
            ticker.join(viewer)
            self._begin(ticker.run(), f"board {board.uid}, live", ticker.viewers)
        else:
            ticker.join(viewer)
        self._viewers[viewer] = ticker
        self._clients[client] += 1
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Twice is safe. With the last viewer its ticker ends."""
        viewer.end()
        ticker = self._viewers.pop(viewer, None)
        if ticker is None:
            return
        self._clients[viewer.client] -= 1
        self._clients += Counter()  # forgets who has none
        ticker.leave(viewer)
        if not ticker.viewers:
            self._tickers = {key: each for key, each in self._tickers.items() if each is not ticker}

    def recheck(self) -> None:
        """Streams of who is no longer let in end now."""
        for viewer in self._viewers:
            viewer.wake()

    def end(self) -> None:
        """Ends all streams and lets none begin; also before the first viewer, and twice."""
        self._over = True
        for viewer in tuple(self._viewers):
            self.leave(viewer)
        for task in self._tasks:
            task.cancel()

    def stream(self, viewer: Viewer) -> StreamingResponse:
        """The answer to who has joined; when it ends, in whatever way, the viewer leaves."""
        return _Stream(self, viewer, self._heartbeat_s)

    def _begin(self, work: Coroutine[Any, Any, None], name: str, viewers: Collection[Viewer]) -> asyncio.Task[None]:
        """`viewers` are those at its end who live by it."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(partial(self._done, viewers))
        return task

    def _done(self, viewers: Collection[Viewer], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%s ended: its viewers have to connect again", task.get_name(), exc_info=error)
            for viewer in tuple(viewers):
                self.leave(viewer)

    async def _strip(self) -> None:
        """While there are viewers."""
        while self._viewers:
            found = event("status", encoded(await anyio.to_thread.run_sync(self._status, abandon_on_cancel=True)))
            if found != self._shown:
                self._shown = found
                for viewer in self._viewers:
                    viewer.tell("status", found)
            await asyncio.sleep(self._status_s)
        self._shown = None


class _Stream(StreamingResponse):
    def __init__(self, live: Live, viewer: Viewer, heartbeat_s: float) -> None:
        # A proxy that gathers an answer before it passes it on would show nothing.
        headers = {"Cache-Control": NEVER, "X-Accel-Buffering": "no"}
        super().__init__(viewer.messages(heartbeat_s), media_type="text/event-stream", headers=headers)
        self._live, self._viewer = live, viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._live.leave(self._viewer)
