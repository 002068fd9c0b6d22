"""The socket that the page's server answers on: what is written goes out at once."""

from __future__ import annotations

import asyncio
import socket

from ecom_lite.dashboards.listener import listen


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
