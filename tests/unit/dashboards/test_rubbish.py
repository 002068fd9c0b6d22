"""Rubbish sent to every route: each gets an answer that is no failure of ours, and says nothing of the inside."""

from __future__ import annotations

import logging
import random
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import h11
import pytest

from ecom_lite.dashboards.guard import HEADERS
from ecom_lite.dashboards.page import Page
from ecom_lite.observe.figures import ControlAnswer
from ecom_lite.observe.status import RunStatus
from ecom_lite.settings.override import ShopOverride
from ecom_lite.warehouse.connect import Address

ROOT: Final = Path(__file__).parents[3]
NOWHERE: Final = Address("127.0.0.1", 1, "none", "postgres", "", {})
ROUTES: Final = sorted(set(re.findall(r"(?m)^## (?:GET|POST|GET, POST) `(\S+)`", (ROOT / "docs" / "http.md").read_text("utf-8"))))
REQUESTS, SEED = 500, 7
PATIENCE_S: Final = 60.0
METHODS: Final = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "FOO", "")
WORDS: Final = (
    "realtime-operations", "2", "0", "-1", "99999999999999999999", "..", "%2e%2e", "%00", "%ff", "%F0%9F%92%A9", "'", "a" * 5000,
    "' OR 1=1 --", "<script>alert(1)</script>", "${jndi:x}", "{{7*7}}", "now-1h", "app.js", "../../etc/passwd",
    "NaN", "1e999", "\\",
)  # fmt: skip
NAMES: Final = ("from", "to", "var-category", "var-country", "ids", "step", "width", "after", "part", "lines", "next", "x[]", "")
BODIES: Final = (
    b"", b"{}", b"[]", b"null", b"{", b'{"rate": 1e999}', b'{"rate": -1}', b'{"faults": {"late": "x"}}', b"\xff\xfe\x00",
    b"[" * 20_000, b'{"paused": 3}', b'{"rate": NaN}', b'{"' + b"a" * 3000 + b'": 1}', b"password=" + b"x" * 100_000,
)  # fmt: skip
OTHERS: Final = (
    "Host: evil.example", "Origin: http://evil.example", "Content-Length: -1", "Content-Length: 99999999999",
    "Cookie: \x80=\xff", "Transfer-Encoding: chunked", "Authorization: Bearer ", "Authorization: Basic %%%",
    "Accept-Encoding: gzip;q=x",
    "Range: bytes=9-1", "Content-Type: text/plain", "Content-Type: application/json", "X-Forwarded-For: 1.2.3.4, x",
    "Expect: 100-continue", "no colon",
)  # fmt: skip


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    def control(override: ShopOverride) -> ControlAnswer:
        return ControlAnswer(rate=5.0)

    page = Page(NOWHERE, ROOT / "grafana" / "dashboards", "127.0.0.1", 0, RunStatus, control=control)
    page.start()
    yield page
    page.stop()


def request(draw: random.Random, page: Page) -> bytes:
    """One request to a route that there is, with something wrong about it; now and then with the token that opens more."""
    path = re.sub(r"\{\w+\}", lambda _: draw.choice(WORDS), draw.choice(ROUTES))
    query = "&".join(f"{draw.choice(NAMES)}={draw.choice(WORDS)}" for _ in range(draw.randrange(4)))
    host = draw.choice([f"Host: 127.0.0.1:{page.port}"] * 6 + ["Host: evil.example", "Host:", "X: y"])
    lines = [
        f"{draw.choice(METHODS)} {path}{'?' if query else ''}{query} HTTP/{draw.choice(['1.1'] * 8 + ['1.0', '9.9', 'x'])}",
        host,
    ]
    lines += draw.sample(OTHERS, draw.randrange(3))
    body = draw.choice(BODIES)
    if draw.random() < 0.5:
        lines.append(f"Content-Length: {len(body)}")
    if draw.random() < 0.3:
        lines.append(f"Authorization: Bearer {page.token}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace") + body


def answer(page: Page, sent: bytes) -> bytes:
    """The head of the answer and the beginning of its body; empty where the connection is closed without a word."""
    with socket.create_connection(("127.0.0.1", page.port), timeout=PATIENCE_S) as connection:
        with suppress(OSError):  # a server that has heard enough answers, and closes what it has not read
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        found = b""
        try:
            while b"\r\n\r\n" not in found and (more := connection.recv(65_536)):
                found += more
        except ConnectionError:
            pass
        return found


def test_rubbish_to_every_route_is_answered_and_tells_nothing(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    assert len(ROUTES) >= 12, ROUTES
    draw = random.Random(SEED)
    answered = 0
    with caplog.at_level(logging.ERROR):
        for number in range(REQUESTS):
            sent = request(draw, page)
            found = answer(page, sent)
            if not found:
                continue
            answered += 1
            where = f"request {number}: {sent[:300]!r} was answered by {found[:300]!r}"
            status = int(found.split(b" ", 2)[1])
            assert status < 500 or status == 503, where
            for inside in (b"Traceback", b"site-packages", str(ROOT).encode(), page.token.encode()):
                assert inside not in found, where
            if (
                b"text/plain" not in found.partition(b"\r\n\r\n")[0]
            ):  # what is no HTTP the server itself answers, before any of our code
                head = found.lower()
                assert all(name.lower().encode() in head for name in HEADERS), where
    assert answered > REQUESTS * 0.9
    # uvicorn logs what h11 says of a client that breaks off or sends what is no HTTP; all else would be an error of ours.
    ours = ("uvicorn", "starlette", "asyncio", "ecom_lite")  # not what threads of other tests have still to say
    raised = [each.exc_info[1] for each in caplog.records if each.exc_info and each.name.partition(".")[0] in ours]
    assert [error for error in raised if not isinstance(error, h11.LocalProtocolError)] == []
    assert page.alive and answer(page, f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\n\r\n".encode()).startswith(
        b"HTTP/1.1 200"
    )
