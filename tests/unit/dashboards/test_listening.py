"""The socket that the page's server answers on: what is written goes out at once."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.request
from pathlib import Path

import pytest

from ecom_lite.dashboards import Page, page
from ecom_lite.dashboards.listener import listen
from ecom_lite.engines.ports import free_port
from ecom_lite.errors import PortTaken
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address

BOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here


def test_a_port_that_was_taken_since_it_was_chosen_is_left_for_another_where_the_user_has_not_set_it() -> None:
    with listen("127.0.0.1", 0) as quicker:
        port = quicker.getsockname()[1]
        made = Page(NOWHERE, BOARDS, "127.0.0.1", port, RunStatus, other_port=free_port)
        try:
            made.start()
            assert made.alive and made.port != port and f":{made.port}/" in made.url
        finally:
            made.stop()
        with pytest.raises(PortTaken, match=f"port {port} "):
            Page(NOWHERE, BOARDS, "127.0.0.1", port, RunStatus).start()


def test_a_page_that_takes_longer_to_end_than_it_is_waited_for_is_started_anew_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_end = threading.Event()

    class Slow(page.PageServer):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            while not may_end.is_set():
                await asyncio.sleep(0.01)
            await super().shutdown(sockets)

    made = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus)
    with monkeypatch.context() as first:
        first.setattr(page, "PageServer", Slow)
        first.setattr(page, "STOP_S", 0.0)
        others = threading.enumerate()
        made.start()
        (ending,) = (each for each in threading.enumerate() if each.name == "dashboards" and each not in others)
        made.stop()
    threading.Timer(0.5, may_end.set).start()
    monkeypatch.setattr(page, "STOP_S", 60.0)
    try:
        made.start()
        ending.join()
        with urllib.request.urlopen(f"{made.url}health", timeout=60) as answer:
            assert answer.status == 200
    finally:
        made.stop()


def test_an_answer_does_not_wait_until_its_own_head_is_acknowledged() -> None:
    """Head and body are two packets: without TCP_NODELAY the second one waits 40 ms."""
    listener = listen("127.0.0.1", 0)
    found: list[int] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(answer, sock=listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            await reader.read()
            writer.close()

    asyncio.run(ask())
    assert found == [1]
