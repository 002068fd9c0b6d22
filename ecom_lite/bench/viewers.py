"""People who look: each keeps one board open, by its stream of events where the page has one, else by asking again and again."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

from ..errors import EcomLiteError
from .looks import Site, fetch, panels_of

STATUS_S: Final = 2.0  # between two questions for the strip above the panels
SILENCE_S: Final = 30.0  # a stream says something each 10 s at least
JOIN_S: Final = 10.0
FIRST_LOOK_S: Final = 60.0
TICK: Final = b"event: tick"  # all panels of a board have been told


class Viewers:
    """So many of them on all boards in turn, while it is open. Use as a context manager.

    `seen` counts what they were shown, `failure` is why one of them was no longer served.
    """

    def __init__(self, url: str, count: int) -> None:
        self._url = url
        self._count = count
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._shown = threading.Semaphore(0)  # one for each who has seen the whole board
        self.failure: str = ""
        self.seen = 0
        self.by = ""

    def __enter__(self) -> Viewers:
        site = Site(self._url)
        try:
            boards = site.boards()
        finally:
            site.close()
        self.by = "live" if self._streams(boards[0]["uid"]) else "polling"
        watch = self._listen if self.by == "live" else self._poll
        for number in range(self._count):
            board = boards[number % len(boards)]
            thread = threading.Thread(target=self._look, args=(watch, board), name=f"bench-viewer-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        with self._lock:
            for each in self._sockets:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        for thread in self._threads:
            thread.join(JOIN_S)
        if error is None:
            self.check()

    def look(self) -> None:
        """Wait until each has seen all of a board. Raises EcomLiteError when one has not in time."""
        give_up = time.monotonic() + FIRST_LOOK_S
        for _ in range(self._count):
            if not self._shown.acquire(timeout=max(0.0, give_up - time.monotonic())):
                self.check()
                raise EcomLiteError(f"a viewer of the boards has not seen all of one within {FIRST_LOOK_S:.0f} s")

    def check(self) -> None:
        """Raises EcomLiteError when one of them was no longer served."""
        if self.failure:
            raise EcomLiteError(f"a viewer of the boards: {self.failure}")

    def _connect(self) -> http.client.HTTPConnection:
        address = urlsplit(self._url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SILENCE_S)
        connection.connect()
        with self._lock:
            self._sockets.append(connection.sock)
        return connection

    def _streams(self, uid: str) -> bool:
        connection = self._connect()
        try:
            connection.request("GET", f"/api/boards/{uid}/live")
            return connection.getresponse().status == http.client.OK
        finally:
            connection.close()

    def _look(self, watch: Any, board: dict[str, Any]) -> None:
        try:
            connection = self._connect()
            try:
                watch(connection, board)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, EcomLiteError) as error:
            if not self._end.is_set():
                self.failure = f"{board['title']}: {error or type(error).__name__}"

    def _listen(self, connection: http.client.HTTPConnection, board: dict[str, Any]) -> None:
        seen = ",".join(str(panel["id"]) for panel in panels_of(board, shut=False))
        path = f"/api/boards/{board['uid']}/live?panels={seen}"
        connection.request("GET", path, headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise EcomLiteError(f"its stream answered {answer.status} {answer.reason}")
        shown = False
        while not self._end.is_set():
            line = answer.readline()
            if not shown and line.startswith(TICK):
                shown = True
                self._shown.release()
            if not line and not self._end.is_set():
                raise EcomLiteError("its stream ended")
            if line.startswith(b"data:"):
                self._count_one()

    def _poll(self, connection: http.client.HTTPConnection, board: dict[str, Any]) -> None:
        paths = [f"/api/boards/{board['uid']}/panels/{panel['id']}" for panel in panels_of(board, shut=False)]
        due, status_due, shown = time.monotonic(), time.monotonic(), False
        while not self._end.is_set():
            if time.monotonic() >= due:
                due += board["refresh_ms"] / 1000
                for path in paths:
                    self._ask(connection, path)
                if not shown:
                    shown = True
                    self._shown.release()
            if time.monotonic() >= status_due:
                status_due += STATUS_S
                self._ask(connection, "/api/status")
            self._end.wait(max(0.0, min(due, status_due) - time.monotonic()))

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> None:
        answer, content = fetch(connection, path)
        if answer.status == http.client.SERVICE_UNAVAILABLE:  # too many at once: the next refresh asks again
            return
        if answer.status != http.client.OK:
            raise EcomLiteError(f"{path} answered {answer.status}: {content[:200]!r}")
        self._count_one()

    def _count_one(self) -> None:
        with self._lock:
            self.seen += 1
