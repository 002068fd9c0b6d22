"""Viewers of live boards: limits, one ticker for all who see the same, its end with the last of them; who is slow misses news."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from starlette.datastructures import QueryParams

from ecom_lite.dashboards.answer import STATEMENT_TIMEOUT_S, Answer
from ecom_lite.dashboards.board import Board, Panel
from ecom_lite.dashboards.boards import load_boards
from ecom_lite.dashboards.live import Limits, Live
from ecom_lite.dashboards.queries import RETRY_S, Queries, kept_s
from ecom_lite.dashboards.sessions import IDLE_S, LONGEST_S, Sessions
from ecom_lite.dashboards.ticker import BEAT, RETRY, Viewer, digest, event, pause_s
from ecom_lite.dashboards.timerange import parse_range
from ecom_lite.dashboards.turnstile import Busy, Turnstile
from ecom_lite.dashboards.view import View, read_panels
from ecom_lite.errors import DashboardError
from ecom_lite.warehouse.connect import Address

BOARDS = load_boards(Path(__file__).resolve().parents[3] / "grafana" / "dashboards")
BOARD = BOARDS["realtime-operations"]
NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # panels say that it cannot be reached
VIEW = View("now-1h", "now")
ALL = frozenset(panel.id for panel in BOARD.panels if panel.queries)
SOON_S = 60.0


@asynccontextmanager
async def living(
    limits: Limits | None = None, status: Callable[[], dict[str, Any]] = dict, queries: Queries | None = None
) -> AsyncIterator[Live]:
    queries = queries or Queries(NOWHERE, wait_s=0.05)
    queries.open()
    live = Live(queries, Turnstile(), status, limits, heartbeat_s=0.05, status_s=0.01)
    try:
        yield live
    finally:
        live.end()
        await asyncio.sleep(0)
        await until(lambda: len(asyncio.all_tasks()) == 1)
        queries.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while not holds():
            await asyncio.sleep(0.005)


async def read_until(viewer: Viewer, word: bytes) -> bytes:
    found = b""
    async with asyncio.timeout(SOON_S):
        async for message in viewer.messages(60):
            found += message
            if word in found:
                return found
    raise AssertionError(found)


def test_a_slow_viewer_has_one_message_of_a_kind_and_it_is_the_newest() -> None:
    async def read() -> list[bytes]:
        viewer = Viewer("a")
        for number in range(10_000):
            viewer.tell("panel 1", event("panel", str(number).encode()))
            viewer.tell("tick", event("tick", str(number).encode()))
        messages = viewer.messages(0.01)
        found = [await anext(messages), await anext(messages), await anext(messages)]
        viewer.end()
        return found + [each async for each in messages]

    newest = b"event: panel\ndata: 9999\n\nevent: tick\ndata: 9999\n\n"
    assert asyncio.run(read()) == [RETRY, newest, BEAT]
    script = (Path(__file__).resolve().parents[3] / "ecom_lite/dashboards/static/live.js").read_text("utf-8")
    assert event("beat", b"{}") == BEAT and '"beat"' in script, "the page hears that we are there"


def test_all_panels_a_status_and_a_tick_are_told_also_to_who_comes_later() -> None:
    async def read() -> tuple[bytes, bytes, int]:
        async with living(status=lambda: {"lag": 7}) as live:
            first = live.join("a", BOARD, VIEW, 60_000, ALL)
            told = await read_until(first, b"event: tick")
            late = live.join("b", BOARD, VIEW, 60_000, ALL)
            return told, await read_until(late, b"event: tick"), live.tickers

    for told in (found := asyncio.run(read()))[:2]:
        assert told.startswith(RETRY) and b'event: status\ndata: {"lag":7}\n\n' in told
        panels = [json.loads(line[6:]) for line in told.splitlines() if line.startswith(b'data: {"id"')]
        assert sorted(panel["id"] for panel in panels) == sorted(panel.id for panel in BOARD.panels if panel.queries)
        assert {panel["message"] for panel in panels} == {"The database cannot be reached"} and panels[0]["from"] > 0
    assert found[2] == 1


def test_a_ticker_ends_with_its_last_viewer_and_others_go_on() -> None:
    async def watch() -> None:
        async with living() as live:
            one, two = (live.join("a", BOARD, VIEW, 5_000, ALL) for _ in range(2))
            other = live.join("a", BOARD, View("now-6h", "now"), 5_000, ALL)
            assert (live.viewers, live.tickers) == (3, 2)
            assert live.shows(BOARD, VIEW) and not live.shows(BOARD, View("now-2h", "now"))
            live.leave(one)
            live.leave(one)
            assert (live.viewers, live.tickers) == (2, 2)
            live.leave(two)
            assert (live.viewers, live.tickers) == (1, 1)
            await read_until(other, b"event: tick")
            live.leave(other)
            await until(lambda: len(asyncio.all_tasks()) == 1)
            again = live.join("a", BOARD, VIEW, 5_000, ALL)
            await read_until(again, b"event: tick")

    asyncio.run(watch())


class Counted(Queries):
    """Remembers which panels it was asked for."""

    asked: ClassVar[list[int]] = []

    def panel(self, board: Board, panel: Panel, *rest: Any) -> Answer:
        self.asked.append(panel.id)
        return super().panel(board, panel, *rest)


def test_only_panels_that_somebody_shows_are_asked_once_for_all_and_told_to_who_shows_them() -> None:
    one, two, three, *_ = sorted(ALL)

    async def watch() -> None:
        queries = Counted(NOWHERE, wait_s=0.05)
        queries.asked.clear()
        async with living(queries=queries) as live:
            first = live.join("a", BOARD, VIEW, 3_600_000, frozenset({one, two}))
            told = ids(await read_until(first, b"event: tick"))
            assert (told, set(queries.asked), live.tickers) == ({one, two}, {one, two}, 1)
            second = live.join("b", BOARD, VIEW, 3_600_000, frozenset({two, three}))  # an hour before the next tick
            assert ids(await read_until(second, b"event: tick")) == {two, three}
            assert three in queries.asked and not set(queries.asked) - {one, two, three} and live.tickers == 1
            live.leave(first)
            queries.asked.clear()
            third = live.join("c", BOARD, VIEW, 3_600_000, frozenset({two, min(ALL - {one, two, three})}))
            await read_until(third, b"event: tick")
            assert one not in queries.asked, "nobody shows it any more"
            fourth = live.join("d", BOARD, VIEW, 3_600_000, frozenset({one}))
            assert ids(await read_until(fourth, b"event: tick")) == {one} and one in queries.asked, "not what it was long ago"
            assert b"event: tick" in await read_until(live.join("e", BOARD, VIEW, 3_600_000, frozenset()), b"event: tick")

    asyncio.run(watch())


def ids(told: bytes) -> set[int]:
    return {json.loads(line[6:])["id"] for line in told.splitlines() if line.startswith(b'data: {"id"')}


@pytest.mark.parametrize("text", ["999", "x", "1,,2x", "-1", "\u0663", "1" * 5000])
def test_a_panel_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(DashboardError, match="no panel of board realtime-operations"):
        read_panels(QueryParams({"panels": text}), BOARD)


def test_panels_that_are_shown_are_read() -> None:
    few = sorted(ALL)[:2]
    for text, found in ((f"{few[0]},{few[1]}", set(few)), ("", set()), (f"{few[1]},", {few[1]})):
        assert read_panels(QueryParams({"panels": text}), BOARD) == found
    assert read_panels(QueryParams(), BOARD) == ALL


def test_a_stream_is_a_use_of_its_session_and_tells_nothing_after_its_end() -> None:
    now = 0.0

    async def watch() -> None:
        nonlocal now
        sessions = Sessions(lambda: now)
        session = sessions.begin()
        viewer = Viewer("a", still_in=lambda: sessions.holds(session))
        messages = viewer.messages(60)
        assert await anext(messages) == RETRY
        while now + IDLE_S / 2 < LONGEST_S:
            now += IDLE_S / 2
            viewer.tell("tick", b"news")
            assert await anext(messages) == b"news"
        now = LONGEST_S
        viewer.tell("tick", b"secret")
        assert [each async for each in messages] == []

    asyncio.run(watch())


def test_limits_of_viewers_for_one_address_in_all_and_of_tickers() -> None:
    async def watch() -> None:
        async with living(Limits(viewers=4, per_client=2, tickers=2)) as live:
            first = live.join("a", BOARD, VIEW, 5_000, ALL)
            live.join("a", BOARD, VIEW, 5_000, ALL)
            with pytest.raises(Busy, match="busy: a has 2 live views open"):
                live.join("a", BOARD, VIEW, 5_000, ALL)
            live.join("b", BOARD, View("now-6h", "now"), 5_000, ALL)
            with pytest.raises(Busy, match="2 different live views"):
                live.join("b", BOARDS["business-intelligence"], VIEW, 60_000, ALL)
            live.join("b", BOARD, VIEW, 5_000, ALL)
            with pytest.raises(Busy, match="4 live views are open"):
                live.join("c", BOARD, VIEW, 5_000, ALL)
            live.leave(first)
            live.join("a", BOARD, VIEW, 5_000, ALL)

    asyncio.run(watch())


def test_stopping_ends_all_streams_and_lets_none_begin() -> None:
    async def watch() -> None:
        async with living() as live:
            live.end()  # nobody has come yet
        async with living() as live:
            viewers = [live.join("a", BOARD, VIEW, 5_000, ALL) for _ in range(3)]
            live.end()
            async with asyncio.timeout(SOON_S):
                for viewer in viewers:
                    assert [each async for each in viewer.messages(60)] == [RETRY]
            with pytest.raises(Busy, match="about to end"):
                live.join("a", BOARD, VIEW, 5_000, ALL)
            assert live.viewers == 0

    asyncio.run(watch())


def test_a_status_that_fails_ends_the_streams_instead_of_silence(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> dict[str, Any]:
        raise RuntimeError("no figures")

    async def watch() -> None:
        async with living(status=broken) as live:
            live.join("a", BOARD, VIEW, 5_000, ALL)
            await until(lambda: live.viewers == 0)

    asyncio.run(watch())
    assert "no figures" in caplog.text


def test_a_ticker_that_fails_ends_the_streams_of_its_own_viewers_only(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Queries):
        def panel(self, board: Board, panel: Panel, start: str, *rest: Any) -> Answer:
            if start == "now-6h":
                raise RuntimeError("no such figures")
            return super().panel(board, panel, start, *rest)

    async def watch() -> None:
        async with living(queries=Broken(NOWHERE, wait_s=0.05)) as live:
            well = live.join("a", BOARD, VIEW, 5_000, ALL)
            bad = [live.join("a", BOARD, View("now-6h", "now"), 5_000, ALL) for _ in range(2)]
            await until(lambda: all(viewer.ended for viewer in bad))
            assert not well.ended and (live.viewers, live.tickers) == (1, 1)
            await read_until(well, b"event: tick")

    asyncio.run(watch())
    assert "no such figures" in caplog.text


def test_who_is_patient_gets_its_turn_where_others_are_told_busy() -> None:
    async def ask() -> None:
        turnstile, go = Turnstile(threads=2, per_client=1), threading.Event()
        first = asyncio.create_task(turnstile.run("a", lambda: go.wait(SOON_S)))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await turnstile.run("a", lambda: True)
        later = asyncio.create_task(turnstile.patient("a", lambda: 7))
        await asyncio.sleep(0.02)
        assert not later.done()
        go.set()
        assert (await first, await later) == (True, 7)

    asyncio.run(ask())


def test_what_cannot_be_shown_is_asked_again_soon_and_an_error_that_stays_ever_later() -> None:
    assert pause_s(60, {"ok", "empty"}, 0) == 60
    assert [pause_s(60, {"ok", "waiting"}, 0) for _ in range(3)] == [5, 5, 5]
    assert [pause_s(60, {"ok", "error"}, failed) for failed in (1, 2, 3, 4, 5, 9_999)] == [5, 10, 20, 40, 60, 60]
    assert [pause_s(1, {"error"}, failed) for failed in (1, 9)] == [1, 1]


def test_an_answer_is_kept_by_what_it_has_cost() -> None:
    def kept(state: Any, took_s: float, message: str = "") -> float:
        made = Answer(state, message, (), parse_range("now-1h", "now", datetime.now(UTC)), 1, datetime.now(UTC), took_s)
        return kept_s(made, took_s, fresh_s=4)

    assert [kept("ok", 0.1), kept("empty", 0.1), kept("error", 0.1), kept("waiting", 0.1)] == [4, RETRY_S, RETRY_S, RETRY_S]
    assert [kept("ok", 10), kept("empty", 10)] == [30, 30], "found or not"
    assert kept("error", 5) == RETRY_S, "no connection in 5 s: it may be back in a moment"
    assert kept("error", STATEMENT_TIMEOUT_S) == 3 * STATEMENT_TIMEOUT_S, "computed in vain"


def test_what_looks_the_same_has_one_digest() -> None:
    assert digest(b"a", 1) == digest(b"a", 1)
    assert len({digest(b"a", 1), digest(b"b", 1), digest(b"a", 2), digest(b"a", -2)}) == 4
