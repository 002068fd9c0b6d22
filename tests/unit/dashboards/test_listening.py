"""The socket that the page's server answers on: what is written goes out at once."""

from __future__ import annotations

import asyncio
import socket
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


def test_a_page_that_takes_long_to_end_is_started_anew_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus)
    made.start()
    try:
        with monkeypatch.context() as impatient:
            impatient.setattr(page, "STOP_S", 0.0)
            made.stop()
        made.start()
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
