"""The proxy reads PostgreSQL's frames: it cuts inside the COPY that it was told, and swallows the reply of that COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from ecom_lite.harness.proxy import Frames, Proxy, Trap

SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
START = (8).to_bytes(4, "big") + (196608).to_bytes(4, "big")


def frame(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


QUERY = frame(b"Q", b"COPY incoming FROM STDIN\0")
DATA = frame(b"d", b"COMMIT\0 is only data here" * 10)
COMMIT = frame(b"Q", b"COMMIT\0")
PATIENCE_S = 60


def test_frames_are_found_however_the_bytes_are_cut() -> None:
    stream = SSL_REQUEST + START + QUERY + DATA + COMMIT
    for size in (1, 3, 7, len(stream)):
        frames = Frames()
        found = [m for i in range(0, len(stream), size) for m in frames.feed(stream[i : i + size])]
        assert [kind for kind, _ in found] == [b"", b"", b"Q", b"d", b"Q"]
        assert b"".join(message for _, message in found) == stream


class Server:
    """Takes one connection, keeps what it gets, and answers each COMMIT."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.got = b""
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection, suppress(OSError):  # cut
            while data := connection.recv(65_536):
                self.got += data
                if data.endswith(COMMIT):
                    connection.sendall(frame(b"C", b"COMMIT\0"))
        self.ended.set()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with closing(made.listener):
        yield made


def play(server: Server, trap: Trap, messages: list[bytes]) -> tuple[Proxy, bytes]:
    """Send them through a proxy; what came back before the end."""
    proxy = Proxy(server.listener.getsockname(), trap)
    with closing(proxy), socket.create_connection(("127.0.0.1", proxy.port)) as client:
        client.settimeout(PATIENCE_S)
        try:
            client.sendall(b"".join([START, *messages]))
            client.shutdown(socket.SHUT_WR)
            back = b""
            while data := client.recv(65_536):
                back += data
        except OSError:
            back = b""  # cut while it spoke
        assert server.ended.wait(PATIENCE_S)
    return proxy, back


def test_the_second_copy_is_cut_after_so_many_bytes(server: Server) -> None:
    proxy, back = play(server, Trap("copy", 2, after=30), [QUERY, DATA, frame(b"c", b""), QUERY, DATA, COMMIT])
    assert proxy.struck.is_set() and back == b""
    assert server.got == START + QUERY + DATA + frame(b"c", b"") + QUERY + DATA[:30]


def test_a_copy_that_is_shorter_passes_and_the_next_one_is_cut(server: Server) -> None:
    short = [QUERY, frame(b"d", b"tiny"), frame(b"c", b"")]
    proxy, _ = play(server, Trap("copy", 1, after=30), [*short, QUERY, DATA])
    assert proxy.struck.is_set() and server.got == START + b"".join(short) + QUERY + DATA[:30]


def test_a_commit_is_forwarded_and_its_reply_is_swallowed(server: Server) -> None:
    proxy, back = play(server, Trap("commit", 1), [QUERY, DATA, frame(b"c", b""), COMMIT])
    assert proxy.struck.is_set() and back == b"" and server.got.endswith(COMMIT)


def test_connections_that_load_nothing_are_left_alone(server: Server) -> None:
    proxy, back = play(server, Trap("commit", 1), [COMMIT])
    assert not proxy.struck.is_set() and b"COMMIT" in back
