"""The benchmark's arithmetic, its borders to the user's data, and the documents that name its figures."""

from __future__ import annotations

import struct
import sys
from itertools import groupby
from pathlib import Path

import pytest

from ecom_lite import cli
from ecom_lite.bench import printed
from ecom_lite.bench.backlog import Sent
from ecom_lite.bench.bare import payload
from ecom_lite.bench.board import Looked
from ecom_lite.bench.course import ratios
from ecom_lite.bench.dashboards import Measured, Viewed
from ecom_lite.bench.dashboards import figures_of as board_figures
from ecom_lite.bench.latency import delays_ms, percentile
from ecom_lite.bench.looks import Looked as LookedAt
from ecom_lite.bench.mappings import CASES, written
from ecom_lite.bench.marts import Marts, figures_of, sizes_of
from ecom_lite.bench.paint import Painted
from ecom_lite.bench.produce_course import bench_produce
from ecom_lite.bench.produce_course import ratios as producer_ratios
from ecom_lite.bench.producing import unpaced
from ecom_lite.bench.recount import Counted, close
from ecom_lite.bench.rig import isolated, require_space
from ecom_lite.bench.sending import encode, generate
from ecom_lite.bench.stream import rates_of
from ecom_lite.bench.usage import Usage
from ecom_lite.bench.watch import Seen
from ecom_lite.contract.events import parse, utc_now
from ecom_lite.contract.reader import make_reader
from ecom_lite.errors import CheckFailed, EcomLiteError, UsageError
from ecom_lite.settings.events import AllEvents
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Currency, Faults
from ecom_lite.simulate import Shop
from ecom_lite.terminal.terminal import Terminal

DOCS = Path(__file__).parents[3] / "docs" / "benchmarks.md"


def test_a_delay_ends_when_the_offset_is_first_seen_committed() -> None:
    seen = [
        Seen(0.0, 1000.0, {0: 0}),
        Seen(0.1, 1100.0, {0: 2}),
        Seen(0.2, 1200.0, {0: 2, 1: 1}),
        Seen(0.3, 1300.0, {0: 3, 1: 1}),
    ]
    stamps = [(0, 0, 990), (0, 1, 1010), (0, 2, 1050), (1, 0, 1190)]
    assert delays_ms(stamps, seen) == [110.0, 90.0, 250.0, 10.0]


def test_a_percentile_is_a_delay_that_some_event_had() -> None:
    ordered = [float(n) for n in range(1, 101)]
    assert [percentile(ordered, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.99) == 7.0


def test_ratios_are_taken_to_the_slowest_stage() -> None:
    figures = {"copy_raw": 1000, "consume": 300, "decode": 200, "write": 100, "loader": 80, "naive": 4}
    assert ratios(figures) == {"loader_to_slowest_stage": 0.8, "loader_to_copy_raw": 0.08, "loader_to_naive": 20.0}
    assert ratios({**figures, "decode": 90})["loader_to_slowest_stage"] == pytest.approx(80 / 90, abs=0.001)


def test_a_producer_is_compared_with_its_slowest_stage_and_with_the_slower_of_two() -> None:
    figures = {"generate": 300, "encode": 800, "send": 200, "produce": 120, "loader": 100, "end_to_end": 60, "naive": 20}
    assert producer_ratios(figures) == {
        "produce_to_slowest_stage": 0.6, "end_to_end_to_slowest": 0.6, "produce_to_naive": 6.0,
    }  # fmt: skip


def test_a_ledger_that_is_not_the_topics_fails_the_benchmark() -> None:
    ledger = {0: Counted(9, 1, 12_345), 1: Counted()}
    assert close(ledger, ledger, 10, 2.0) == Sent(10, 9, 12_345, 2.0)
    for topic in ({0: Counted(9, 1, 12_344)}, {0: Counted(8, 2, 12_345)}, {1: Counted(9, 1, 12_345)}, {}):
        with pytest.raises(CheckFailed, match="partition 0: the ledger has"):
            close(ledger, topic, 10, 2.0)
    with pytest.raises(CheckFailed, match="has 10 events, not 11"):
        close(ledger, ledger, 11, 2.0)
    with pytest.raises(CheckFailed, match="has 0 events, not 1"):
        close({}, {}, 1, 2.0)


def test_events_of_all_stages_are_those_of_the_settings_shop() -> None:
    settings = load_settings(env={})
    for stage in (generate(settings, 2_000), encode(settings, 2_000)):
        assert stage.rate > 0 and stage.cpu_us > 0


def test_the_measured_producer_is_unpaced_whatever_the_settings_say() -> None:
    flags = {"shop.rate": 5, "shop.history": "90d", "shop.customers": 30, "faults.duplicate": 0.1}
    measured = unpaced(load_settings(env={}, flags=flags))
    assert (measured.shop.rate, measured.shop.history, measured.shop.customers, measured.faults.duplicate) == ("max", None, 30, 0)


def test_too_few_events_to_see_a_producer_at_work_are_refused() -> None:
    with pytest.raises(UsageError, match="--events 4999: too few to measure anything; 5000 is the least"):
        bench_produce(load_settings(env={}), Terminal(), events=4_999, command="")


def test_the_copy_payload_is_whole_binary_rows() -> None:
    data = b"".join(payload(2_500))
    assert data.startswith(b"PGCOPY\n\xff\r\n\0")
    at, rows = 19, 0
    while (columns := struct.unpack_from(">h", data, at)[0]) != -1:
        at += 2
        for _ in range(columns):
            at += 4 + struct.unpack_from(">i", data, at)[0]
        rows += 1
    assert rows == 2_500 and at + 2 == len(data)


def test_busy_cores_are_those_that_were_not_idle() -> None:
    before, after = Usage(10.0, {"loader": 1.0}, 5.0), Usage(14.0, {"loader": 3.0}, 6.0)
    used = after.since(before)
    assert used == Usage(4.0, {"loader": 2.0}, 1.0)
    assert used.cores_busy() - used.cores_others() == pytest.approx(0.5)
    assert Usage(4.0, {}, 0.0).cores_busy() - used.cores_busy() == pytest.approx(0.25)


def test_no_server_port_or_folder_of_the_users_is_touched(tmp_path: Path) -> None:
    theirs = load_settings(
        env={},
        flags={
            "run.data_dir": "theirs", "kafka.bootstrap": "theirs:9092", "kafka.port": 9092, "kafka.heap_mb": 512,
            "kafka.security_protocol": "SASL_SSL", "postgres.url": "postgresql://theirs/db", "postgres.port": 5432,
        },
    )  # fmt: skip
    ours = isolated(theirs, tmp_path)
    assert (ours.kafka.bootstrap, ours.kafka.port, ours.kafka.security_protocol) == ("", None, "PLAINTEXT")
    assert (ours.postgres.url.get_secret_value(), ours.postgres.port, ours.data_dir) == ("", None, tmp_path)
    assert ours.kafka.heap_mb == 512 and ours.load == theirs.load, "what counts for speed is as in a run"


def test_a_mapping_for_the_users_own_events_and_a_shops_past_are_not_measured(tmp_path: Path) -> None:
    """In the folder of such a project the shop's events would be read as the user's: dead letters all of them."""
    flags = {"shop.history": "90d", "currency.default": "JPY", "currency.reporting": "EUR"}
    theirs = load_settings(DOCS.parents[1] / "examples" / "web_orders" / "config.toml", env={}, flags=flags)
    ours = isolated(theirs.model_copy(update={"faults": Faults(malformed=0.1)}), tmp_path)
    assert theirs.events.fields and ours.events == AllEvents() and ours.faults == Faults() and ours.currency == Currency()
    assert (ours.shop.history, ours.shop.speed, ours.shop.start, ours.shop.customers) == (None, None, None, 200_000)


def test_too_little_space_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(EcomLiteError, match=r"GB free and this benchmark wants .* set TMPDIR"):
        require_space(tmp_path, 1 << 60)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--events", "0"], "--events"),
        (["--events", "-5"], "--events"),
        (["--events", "many"], "--events"),
        (["--events", "999"], "--events 999: too few to measure anything; 1000 is the least"),
        (["--latency-s", "0"], "--latency-s"),
        (["--seed", "-1"], "shop.seed = -1"),
        (["--mapping", "none,renamed"], "--mapping none,renamed: there is none, rename, lines, not 'renamed'"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_bad_arguments_are_told(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ecom_lite", "bench", "load", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2 and words in err and out == "" and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", list(CASES))
def test_each_mapping_reads_what_it_is_measured_with_as_the_same_lines(name: str) -> None:
    shop = load_settings(env={}).shop
    own = [event for event in Shop(shop).batch(0, 20, utc_now()) if event.kind == "order"]
    read = make_reader(CASES[name].events)
    found = []
    for _, order in groupby(own, key=lambda event: event.sequence):
        lines = list(order)
        records = list(written(lines, CASES[name]))
        assert sum(record.lines for record in records) == len(lines)
        assert sum(record.cents for record in records) == sum(event.revenue_cents for event in lines)
        found += [line for record in records for line in read(record.value, utc_now())]
    expected = [parse(event.value, utc_now()) for event in own]
    names = ("order_id", "user_id", "product_id", "product_title", "category", "price", "quantity", "revenue", "timestamp")
    assert [[getattr(line, one) for one in names] for line in found] == [
        [getattr(line, one) for one in names] for line in expected
    ]


def test_the_page_says_what_each_figure_is() -> None:
    text = DOCS.read_text(encoding="utf-8")
    names = {*printed.RATES, *printed.COSTS, *printed.RATIOS, *printed.PRODUCER}
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_growth_is_taken_from_the_smallest_size() -> None:
    small = Marts(10.0, 0.5, 16, 72, Looked(80.0, 120.0, 15, {"1 Revenue": 20.0}, 5_000.4))
    large = Marts(80.0, 0.6, 16, 72, Looked(100.0, 150.0, 15, {"1 Revenue": 25.0}, 4_999.6))
    assert figures_of(3_000_000, large, small)["ratios"] == {
        "refresh_growth": 1.2, "board_growth": 1.25, "refresh_to_full": 0.0075,
    }  # fmt: skip
    assert figures_of(100_000, small, small)["ratios"]["board_growth"] == 1.0
    names = {*figures_of(1, small, small), *figures_of(1, small, small)["ratios"]} - {"facts", "ratios", "board_looks"}
    text = DOCS.read_text(encoding="utf-8")
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_sizes_are_whole_numbers_the_smallest_first() -> None:
    assert sizes_of("3000000,100_000,3000000") == [100_000, 3_000_000]
    for wrong, words in {
        "1m": "whole numbers with commas",
        "": "whole numbers with commas",
        "100,20000": "100 is too few",
    }.items():
        with pytest.raises(UsageError, match=words):
            sizes_of(wrong)


@pytest.mark.parametrize("wrong", ["", "5,", "fast", "0"])
def test_rates_are_whole_numbers_of_events(wrong: str) -> None:
    assert rates_of("500,5_000") == [500, 5_000]
    with pytest.raises(UsageError, match="--rates"):
        rates_of(wrong)


def test_the_boards_figures_are_by_board_and_viewers_are_ratios_of_one_run() -> None:
    boards = {
        "live": LookedAt(60.04, 90.0, {"1 Revenue": 20.0, "2 Orders": 40.0}, 12_345),
        "slow": LookedAt(200.0, 210.0, {"1 Revenue": 150.5}, 1_000),
    }
    viewed = Viewed(8, "live", 100_000.0, 97_000.0, 40.0, 46.0, 812)
    found = board_figures(1_000_000, Measured(boards, {"live": Painted(99.6, 420.2)}, "", 141_000, viewed))
    assert found["board_ms"] == {"live": 60.0, "slow": 200.0} and found["page_kb"] == 141.0
    assert (found["slowest_panel_ms"], found["slowest_panel"]) == (150.5, "slow: 1 Revenue")
    assert found["ratios"] == {"load_rate_to_without": 0.97, "p95_to_without": 1.15}
    assert found["first_paint_ms"] == {"live": 100} and found["all_panels_ms"] == {"live": 420}
    blind = board_figures(1, Measured(boards, {}, "no Chromium on PATH (set CHROMIUM)", 1, viewed))
    assert blind["first_paint_ms"] is None and blind["first_paint_why"].startswith("no Chromium")
    text = DOCS.read_text(encoding="utf-8")
    assert {
        name for name in {*found, *found["viewers"], *found["ratios"]} - {"facts", "ratios"} if f"`{name}`" not in text
    } == set()
