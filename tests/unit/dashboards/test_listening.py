"""How the page's server answers: at once."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from ecom_lite.dashboards import Page
from ecom_lite.observe.status import RunStatus
from ecom_lite.warehouse.connect import Address


def test_an_answer_does_not_wait_for_its_own_head_to_be_acknowledged(tmp_path: Path) -> None:
    """The head and the body are two packets: without TCP_NODELAY the second one waits 40 ms."""
    page = Page(Address("127.0.0.1", 1, "none", "nobody", "", {}), tmp_path, "127.0.0.1", 0, lambda: RunStatus(state="running"))
    listener = page._listen()
    found: list[int] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_server(answer, sock=listener):
            reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
            await reader.read()
            writer.close()

    asyncio.run(ask())
    assert found == [1]
