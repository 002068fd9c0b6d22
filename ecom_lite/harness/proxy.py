"""A TCP proxy before PostgreSQL that knows the protocol's frames: it cuts inside a COPY, or swallows the reply to a COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from .relay import CHUNK, Link, Relay, shut

REQUESTS_BEFORE_START: Final = (80877103, 80877104)  # SSLRequest, GSSENCRequest: the start message is still to come
COMMITTED: Final = b"COMMIT\0"


class Frames:
    """Cuts a client's byte stream into the protocol's messages: (type, whole message); the type is empty before the login."""

    def __init__(self) -> None:
        self._buffer = b""
        self._started = False

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The messages that `data` completes."""
        self._buffer += data
        while True:
            head = 1 if self._started else 0
            if len(self._buffer) < head + 4:
                return
            size = head + int.from_bytes(self._buffer[head : head + 4], "big")
            if len(self._buffer) < size:
                return
            message, self._buffer = self._buffer[:size], self._buffer[size:]
            yield message[:head], message
            if not self._started:
                self._started = int.from_bytes(message[4:8], "big") not in REQUESTS_BEFORE_START


@dataclass(frozen=True)
class Trap:
    """Strikes at the n-th "copy" or "commit" of connections that load rows; a COPY is cut after `after` of its bytes."""

    what: str
    nth: int
    after: int = 0


class Proxy(Relay):
    """Forwards to `target`, with one trap. `struck` is set when it has sprung; `on_strike` is called before the client learns."""

    def __init__(self, target: tuple[str, int], trap: Trap, on_strike: Callable[[], None] = lambda: None) -> None:
        self._trap = trap
        super().__init__(target, trap.nth, on_strike)

    def _link(self, client: socket.socket, server: socket.socket) -> Link:
        return _Link(self, client, server)

    def due(self, what: str) -> bool:
        """Count one more of these; whether it is the one to strike at."""
        return what == self._trap.what and self._count()

    @property
    def cut_after(self) -> int:
        return self._trap.after


class _Link:
    """One connection and its two pumps."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._loads_rows = False
        self._cutting = False  # in the COPY that may be cut
        self._copied = 0
        self._swallow = threading.Event()

    def ask(self) -> None:
        frames = Frames()
        with suppress(OSError):
            while data := self._client.recv(CHUNK):
                for kind, message in frames.feed(data):
                    if not self._forward(kind, message):
                        return self._cut()
            self._server.shutdown(socket.SHUT_WR)  # the client says no more; what the server still answers is for the other pump
            return None
        self._cut()

    def _forward(self, kind: bytes, message: bytes) -> bool:
        """False when the connection is to be cut."""
        if kind in (b"Q", b"P"):
            if b"COPY " in message:
                self._loads_rows, self._copied = True, 0
                self._cutting = self._proxy.due("copy")
            elif b"COMMIT" in message and self._loads_rows and self._proxy.due("commit"):
                self._swallow.set()
        elif kind == b"d" and self._cutting:
            left = self._proxy.cut_after - self._copied
            if len(message) > left and self._proxy.strike():
                self._server.sendall(message[:left])
                return False
            self._copied += len(message)
        elif kind in (b"c", b"f"):
            self._cutting = False  # it was shorter than that: the next one, then
        self._server.sendall(message)
        return True

    def answer(self) -> None:
        held = b""
        with suppress(OSError):
            while data := self._server.recv(CHUNK):
                if not self._swallow.is_set():
                    self._client.sendall(data)
                    continue
                held += data
                if COMMITTED in held:
                    self._proxy.strike()  # the server has committed, and nobody hears of it
                    break
        self._cut()

    def _cut(self) -> None:
        shut(self._client)
        shut(self._server)
