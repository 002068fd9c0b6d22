"""The socket that the page's server answers on: what is written goes out at once."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from ecom_lite.dashboards import Page
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
        page = Page(NOWHERE, BOARDS, "127.0.0.1", port, RunStatus, other_port=free_port)
        try:
            page.start()
            assert page.alive and page.port != port and f":{page.port}/" in page.url
        finally:
            page.stop()
        with pytest.raises(PortTaken, match=f"port {port} "):
            Page(NOWHERE, BOARDS, "127.0.0.1", port, RunStatus).start()


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
