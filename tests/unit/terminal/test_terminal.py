"""What people see: the start, the live picture, the end; plain lines where there is no terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace
from rich.console import Console

from ecom_lite.observe.figures import DbtFigures
from ecom_lite.observe.room import Room
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.terminal.terminal import Terminal
from ecom_lite.terminal.view import duration, spark, starting_view, status_view
from ecom_lite.terminal.words import status_lines

SUCCESS = DbtFigures(
    run_id=3, trigger="schedule", status="success", finished_at="2026-11-23T07:00:00+00:00", seconds=0.6, tests_passed=11
)
STATUS = RunStatus(
    state="running", uptime_s=185, seed=7, rate=5.0, sent=12_345, facts=12_000, duplicates=3, other=40, dead=2,
    sent_per_s=510, loaded_per_s=498, lag=17, delay_ms=212, rss_mb=604, dbt=SUCCESS,
    parts={
        "kafka": PartStatus(state="ready", restarts=1, ok=True),
        "schema": PartStatus(state="ready", ok=True),
        "load": PartStatus(state="ready", detail="waiting for postgres"),
    },
)  # fmt: skip
NOW = datetime(2026, 11, 23, 7, 2, 5, tzinfo=UTC)


def drawn(renderable: Any, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_the_picture_of_a_live_run() -> None:
    text = drawn(status_view(STATUS, [1, 2, 4], NOW))
    for words in ("running", "up 3 min 05 s", "5 orders/s", "12,345", "510/s", "17", "212 ms", "2 dead letters", "604 MB"):
        assert words in text
    assert "success 2 min 05 s ago, 0.6 s, 11 tests passed" in text
    assert "✔ kafka ×2" in text and "load: waiting for postgres" in text
    assert "! load" in text and "✔ load" not in text, "a part that lives and does not work has no tick"
    assert "schema" not in text, "a step that was done once is no part to watch"
    assert "LOST" not in text
    assert max(map(len, text.splitlines())) <= 80, "fits a terminal of 80 columns"


def test_why_all_stands_still_on_a_full_disk_is_said_in_the_picture_and_in_words() -> None:
    room = Room(state="none", place="/data", percent=98.7, free_bytes=1_300_000_000, enough_bytes=4_000_000_000)
    status = replace(STATUS, room=room)
    for text in (drawn(status_view(status, [1], NOW), width=200), "\n".join(status_lines(status, NOW))):
        assert "disk" in text and "the disk of /data is 98.7 % full, 1.30 GB are free" in text
        assert "loaders, lake, dbt and Spark wait until 4.00 GB are" in text
    assert not any(line.startswith("disk") for line in status_lines(STATUS, NOW))


def test_a_shop_with_a_past_and_faults_says_so() -> None:
    past = replace(
        STATUS, rate="natural", history="sending", shop_time="2026-08-25T13:07:11Z", faults={"late": 0.05, "out_of_order": 0.01}
    )
    text = drawn(status_view(past, [1], NOW))
    for words in ("sending its past", "its clock: 2026-08-25 13:07", "on purpose: late 5.0%, out of order 1.0%"):
        assert words in text
    assert "its own pace" in drawn(status_view(replace(past, history="sent"), [1], NOW))
    assert "paused" in drawn(status_view(replace(past, history="sent", paused=True), [1], NOW))
    assert max(map(len, text.splitlines())) <= 80


def test_what_a_paused_shop_still_lets_come_is_shown_until_it_has_come() -> None:
    paused = replace(STATUS, paused=True, held=23)
    assert "paused: 23 late events still to come" in drawn(status_view(paused, [], NOW))
    assert "still to come" not in drawn(status_view(replace(paused, held=0), [], NOW))
    assert "still to come" not in drawn(status_view(replace(paused, paused=False), [], NOW))


def test_trouble_is_shown() -> None:
    failed = replace(SUCCESS, status="tests failed", message="unique_orders\nmore")
    text = drawn(status_view(replace(STATUS, lost=9, dbt=failed, rate="max"), (), NOW))
    assert "9 LOST" in text and "tests failed" in text and "unique_orders" in text and "more" not in text
    assert "as fast as it goes" in text


def test_an_empty_status_can_be_drawn() -> None:
    text = drawn(status_view(RunStatus()))
    assert "starting" in text and "waiting for the first facts" in text


def test_the_start() -> None:
    text = drawn(
        starting_view({"postgres": ("ready", 1.23), "kafka": ("starting", 2.0), "load": ("waiting", 0.0)}, 2.2, "starting")
    )
    assert text.splitlines()[0] == "starting … 2 s"
    assert "✔ postgres 1.2 s" in text and "◌ kafka    2.0 s" in text and "· load" in text


def test_small_helpers() -> None:
    assert [duration(s) for s in (0, 59.9, 60, 3599, 3600, 90_000)] == [
        "0 s",
        "59 s",
        "1 min 00 s",
        "59 min 59 s",
        "1 h 00 min",
        "25 h 00 min",
    ]
    assert spark([]) == "" and spark([0, 0]) == "▁▁" and spark([0, 5, 10]) == "▁▅█"
    assert len(spark(range(100))) == 30


def terminal(fancy: bool) -> tuple[Terminal, io.StringIO]:
    file = io.StringIO()
    return Terminal(console=Console(file=file, force_terminal=fancy, width=100, color_system=None)), file


def test_without_a_terminal_each_event_is_one_plain_line() -> None:
    shown, file = terminal(fancy=False)
    shown.begin(["kafka", "load"])
    shown.heard("kafka", "starting", "")
    shown.heard("kafka", "ready", "2.1 s")
    shown.banner(3.0, {"dashboards": "http://127.0.0.1:8100/", "kafka": "127.0.0.1:9"})
    shown.heard("kafka", "died", "kafka died; its log ends: x\nmore")
    shown.heard("kafka", "restarted", "1.1 s")
    shown.doing("taking the count")
    shown.end()
    lines = [line.rstrip() for line in file.getvalue().splitlines() if line.strip()]
    assert lines == [
        "kafka ready, 2.1 s",
        "ecom_lite is ready after 3.0 s",
        "  dashboards  http://127.0.0.1:8100/",
        "  kafka       127.0.0.1:9",
        "  Ctrl-C stops it; the data stays.",
        "kafka died and is started again: kafka died; its log ends: x",
        "kafka is back after 1.1 s",
        "taking the count",
    ]


def test_who_sees_that_it_is_ready_sees_the_addresses_too() -> None:
    file = Pieces()
    shown = Terminal(console=Console(file=file, force_terminal=False, width=100, color_system=None))
    shown.banner(3.0, {"metrics": "http://127.0.0.1:8100/metrics"})
    (first,) = (piece for piece in file.pieces if "is ready after" in piece)
    assert "http://127.0.0.1:8100/metrics" in first and "Ctrl-C" in first


class Pieces(io.StringIO):
    """Keeps each write for itself: what a reader of the file can see between two of them."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        self.pieces.append(text)
        return super().write(text)


def test_with_a_terminal_the_live_view_follows_the_parts() -> None:
    shown, file = terminal(fancy=True)
    shown.begin(["kafka"])
    assert "starting" in drawn(shown.render())
    shown.heard("kafka", "starting", "")
    shown.heard("kafka", "ready", "2.1 s")
    assert "✔ kafka" in drawn(shown.render())
    shown.banner(3.0, {})
    shown.update(STATUS, [1.0])
    assert "12,345" in drawn(shown.render())
    shown.heard("kafka", "died", "why")
    shown.doing("stopping the parts")
    text = drawn(shown.render())
    assert "↻ kafka" in text and "stopping the parts" in text
    shown.end()
    shown.end()
    assert "ecom_lite is ready after 3.0 s" in file.getvalue()


def test_the_summary_says_whether_the_count_closes() -> None:
    shown, file = terminal(fancy=False)
    shown.summary({"closes": True, "sent": 300_000, "restarts": {}})
    shown.summary({"closes": False, "sent": 1})
    assert "the count closes" in file.getvalue() and "300,000" in file.getvalue() and "DOES NOT CLOSE" in file.getvalue()
