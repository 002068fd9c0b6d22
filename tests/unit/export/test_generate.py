"""`generate`: exactly the shop's bytes, exactly as many as asked for, in three forms; and files that are whole or not there."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ecom_lite import cli
from ecom_lite.contract import events
from ecom_lite.contract.fields import EVENT_TYPES, columns
from ecom_lite.errors import EcomLiteError, UsageError
from ecom_lite.export import generate as room
from ecom_lite.export.generate import Chunk, Format, Plan, chunks, generate, plan
from ecom_lite.settings.tree import Shop as ShopSettings
from ecom_lite.simulate import Shop, Timetable

NOW = datetime(2026, 11, 23, 6, 47, 20, 896327, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def settings(**shop: object) -> ShopSettings:
    return ShopSettings.model_validate({"start": START, **shop})


def made(shop: ShopSettings, form: Format, output: Path) -> tuple[room.Generated, list[str]]:
    said: list[str] = []
    return generate(shop, form, output, said.append, lambda: NOW), said


def times(path: Path) -> list[datetime]:
    return [datetime.fromisoformat(json.loads(line)["timestamp"]) for line in path.read_bytes().splitlines()]


# What


def test_json_lines_are_the_shops_own_bytes(tmp_path: Path) -> None:
    shop = settings(events=20_000)
    result, said = made(shop, "jsonl", tmp_path / "events.jsonl")
    stream = Shop(shop).batch(0, 20_000, Timetable(shop, START))[:20_000]
    assert (tmp_path / "events.jsonl").read_bytes() == b"".join((event.value or b"") + b"\n" for event in stream)
    assert (result.events, result.orders, said) == (20_000, stream[-1].sequence + 1, [])
    assert (result.first, result.last) == tuple(Timetable(shop, START).time(n) for n in (0, stream[-1].sequence))


@pytest.mark.parametrize("count", [0, 1, 2, 17, 1_999, 2_000, 2_001, 4_813])
def test_there_are_exactly_as_many_events_as_asked_for(count: int, tmp_path: Path) -> None:
    made(settings(events=count), "jsonl", tmp_path / "events.jsonl")
    lines = (tmp_path / "events.jsonl").read_bytes()
    assert lines.count(b"\n") == count and (not count or lines.endswith(b"}\n"))
    more = b"".join(chunk.lines for chunk in chunks(settings(events=5_000), Plan(START, 5_000, None)))
    assert more.startswith(lines)


def test_the_size_of_batches_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Plan(START, 3_000, None)
    whole = b"".join(chunk.lines for chunk in chunks(settings(), wanted))
    monkeypatch.setattr(room, "BATCH_ORDERS", 7)
    assert b"".join(chunk.lines for chunk in chunks(settings(), wanted)) == whole


def test_every_event_is_accepted_by_the_loader(tmp_path: Path) -> None:
    made(settings(events=5_000), "jsonl", tmp_path / "events.jsonl")
    kinds = {events.parse(line, NOW).event_type for line in (tmp_path / "events.jsonl").read_bytes().splitlines()}
    assert {"order", "user_registered"} <= kinds


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_have_the_same_rows_in_the_same_order_with_exact_money(form: Format, tmp_path: Path) -> None:
    shop = settings(events=20_000)
    made(shop, "jsonl", tmp_path / "events.jsonl")
    result, _ = made(shop, form, tmp_path / f"events.{form}")
    assert result.events == 20_000
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        read = f"read_{form}('{tmp_path}/events.{form}')"
        if form == "csv":
            read = read[:-1] + ", types = {'price': 'DECIMAL(10,2)', 'revenue': 'DECIMAL(14,2)', "
            read += "'order_id': 'VARCHAR', 'user_id': 'VARCHAR', 'product_id': 'VARCHAR'})"
        found = connection.sql(f"SELECT * FROM {read}")
        types = dict(zip(found.columns, map(str, found.types), strict=True))
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    if form == "parquet":
        expected = {
            **{
                name: "VARCHAR"
                for name in ("order_id", "user_id", "product_id", "product_title", "category", "event_id", "event_type", "reason")
            },
            **{name: "VARCHAR" for name in ("name", "email", "city", "country")},
            **{"quantity": "INTEGER", "schema_version": "INTEGER"},
            **{"price": "DECIMAL(10,2)", "revenue": "DECIMAL(14,2)", "timestamp": "TIMESTAMP WITH TIME ZONE"},
        }
        assert list(types) == list(columns(*EVENT_TYPES.values())) and expected.items() <= types.items()
    with (tmp_path / "events.jsonl").open() as lines:
        for line, row in zip(lines, rows, strict=True):
            event = json.loads(line, parse_float=Decimal)
            event["timestamp"] = datetime.fromisoformat(event["timestamp"])
            event |= {name: str(event[name]) for name in ("user_id", "product_id") if name in event}
            if not event.get("reason", True):
                event["reason"] = row["reason"]  # CSV does not tell an empty text from none
            assert event == {name: value for name, value in row.items() if value is not None}


def test_no_cell_of_a_csv_is_a_formula_for_a_spreadsheet(tmp_path: Path) -> None:
    """It is exact for programs; what makes that safe for people is that the shop has no such words."""
    made(settings(events=20_000, returned=0.5, cancelled=0.4), "csv", tmp_path / "events.csv")
    with (tmp_path / "events.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert len(cells) > 300_000 and not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


# When


def test_a_history_alone_is_all_of_it_and_ends_now(tmp_path: Path) -> None:
    shop = ShopSettings.model_validate({"history": "10d"})
    result, said = made(shop, "jsonl", tmp_path / "events.jsonl")
    found = times(tmp_path / "events.jsonl")
    opened = datetime(2026, 11, 13, tzinfo=UTC)
    assert opened <= found[0] < opened + timedelta(hours=1)
    assert NOW - timedelta(minutes=10) < found[-1] <= NOW
    assert found == sorted(found) and said == []
    following = Timetable(shop, opened).time(result.orders)
    assert following > NOW


def test_a_history_with_a_start_ends_there(tmp_path: Path) -> None:
    made(settings(history="3d"), "jsonl", tmp_path / "events.jsonl")
    found = times(tmp_path / "events.jsonl")
    assert found[0] >= START - 3 * DAY and START - timedelta(minutes=15) < found[-1] <= START


def test_a_history_may_be_cut_short_by_events(tmp_path: Path) -> None:
    shop = ShopSettings.model_validate({"history": "10d", "events": 100})
    assert made(shop, "jsonl", tmp_path / "events.jsonl")[0].events == 100
    assert max(times(tmp_path / "events.jsonl")) < datetime(2026, 11, 14, tzinfo=UTC)


@pytest.mark.parametrize("shop", [{"events": 1}, {"events": 2_000}, {"events": 60_000}, {"events": 3_000, "orders_per_day": 40}])
def test_events_without_a_start_all_lie_in_the_past_and_end_within_the_last_days(shop: dict[str, Any], tmp_path: Path) -> None:
    wanted = ShopSettings.model_validate(shop)
    result, said = made(wanted, "jsonl", tmp_path / "events.jsonl")
    opened = plan(wanted, NOW).opened_at
    assert opened.time() == datetime.min.time() and said == []
    assert result.events == shop["events"]
    assert result.last is not None and result.last <= NOW
    span = NOW - opened
    assert NOW - result.last < DAY + span / 20


def test_a_crowd_at_the_opening_moves_no_event_into_the_future(tmp_path: Path) -> None:
    shop = ShopSettings.model_validate({"events": 40_000, "customers": 50_000, "customers_start": 30_000})
    result, _ = made(shop, "jsonl", tmp_path / "events.jsonl")
    assert result.events == 40_000 and result.last is not None and NOW - 30 * DAY < result.last <= NOW


def test_without_a_number_and_without_a_history_it_says_how() -> None:
    with pytest.raises(UsageError, match=r"--events 100000 .* --history 90d"):
        plan(settings(), NOW)


@pytest.mark.parametrize("shop", [{"events": 10**11}, {"history": "10000d"}, {"history": "90d", "start": "2000-01-15"}])
def test_a_clock_before_2000_is_refused(shop: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="before 2000, where events are refused"):
        plan(ShopSettings.model_validate(shop), NOW)


def test_events_that_the_loader_would_refuse_are_made_with_one_warning(tmp_path: Path) -> None:
    result, said = made(settings(start=NOW - DAY, events=40_000), "jsonl", tmp_path / "events.jsonl")
    assert result.events == 40_000
    (warning,) = said
    assert "more than a day ahead" in warning
    from_ = datetime.fromisoformat(next(word for word in warning.split() if word.startswith("20")))
    assert NOW + DAY - timedelta(minutes=5) < from_ < NOW + DAY + timedelta(minutes=5)
    assert made(settings(start=NOW - DAY, events=5_000), "jsonl", tmp_path / "events.jsonl")[1] == []


# Files


def test_a_file_is_replaced_only_by_a_whole_one_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> Iterator[Chunk]:
        yield Chunk(b'{"half":\n', 1, 0)
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "chunks", interrupted)
    for form in ("jsonl", "csv", "parquet"):
        (tmp_path / "sales").write_bytes(b"the old one")
        with pytest.raises(KeyboardInterrupt):
            made(settings(events=10), form, tmp_path / "sales")
        assert [path.name for path in tmp_path.iterdir()] == ["sales"]
        assert (tmp_path / "sales").read_bytes() == b"the old one"


def test_after_success_too_there_is_only_the_file(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_bytes(b"the old one")
    (tmp_path / "sales.csv").chmod(0o640)
    made(settings(events=10), "csv", tmp_path / "sales.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["sales.csv"]
    assert len((tmp_path / "sales.csv").read_text().splitlines()) == 11
    assert (tmp_path / "sales.csv").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    made(settings(events=3), "jsonl", tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and len((tmp_path / "real").read_bytes().splitlines()) == 3
    made(settings(events=3), "parquet", Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_is_one_sentence() -> None:
    with pytest.raises(EcomLiteError, match="/dev/full: No space left on device"):
        made(settings(events=10_000), "jsonl", Path("/dev/full"))


@pytest.mark.parametrize(("output", "what"), [("", "is a folder"), ("none/x", "there is no folder")])
def test_an_output_that_cannot_be_is_named(output: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=what):
        made(settings(events=1), "jsonl", tmp_path / output)


# The command


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ecom_lite", "generate", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_the_form_follows_the_name_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "--events", "5", "--output", "a.parquet", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["format"] == "parquet" and json.loads(out)["events"] == 5
    assert err.startswith("5 events of 1 order, ")
    assert Path("a.parquet").read_bytes().startswith(b"PAR1")
    assert run(monkeypatch, "--events", "5", "--output", "a.parquet", "--format", "csv") == 0
    assert Path("a.parquet").read_bytes().startswith(b"order_id,user_id,")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "how many?"),
        (["--events", "5", "--format", "xml"], "jsonl, csv and parquet"),
        (["--events", "5", "--json"], "--output"),
        (["--history", "soon"], "shop.history"),
        (["--events", "5", "--start", "yesterday"], "shop.start"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_sentence_and_exit_code_2(
    arguments: list[str], what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and what in err and "Traceback" not in err


def test_parquet_is_not_written_to_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run(monkeypatch, "--events", "5", "--format", "parquet") == 2
    assert "not for a terminal" in capsys.readouterr().err
