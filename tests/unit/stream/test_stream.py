"""The stream's parts that need neither Spark nor a server: checkpoint guard, options, log table, short causes."""

from __future__ import annotations

import json
import os
import re
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ecom_lite.contract.events import event_time
from ecom_lite.errors import StreamError
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.stream.checkpoint import Checkpoint
from ecom_lite.stream.queries import ISO_TIME, ahead_limit_s, source_options
from ecom_lite.stream.session import environment, short
from ecom_lite.stream.sinks import MinuteSink
from ecom_lite.stream.summary import render
from ecom_lite.warehouse.connect import Address


def settings(**flags: object) -> Settings:
    return load_settings(env={}, flags={name.replace("__", "."): value for name, value in flags.items()})


def begun(folder: Path, offsets: dict[str, int], batch: int = 3) -> Checkpoint:
    """A checkpoint as Spark leaves it after batch `batch`."""
    (folder / "offsets").mkdir(parents=True)
    (folder / "offsets" / str(batch)).write_text(f'v1\n{{"batchWatermarkMs":0}}\n{json.dumps({"sales": offsets})}', "utf-8")
    (folder / "offsets" / f".{batch}.crc").write_text("x", "utf-8")
    return Checkpoint(folder)


def test_a_changed_partition_count_is_refused_with_both_values_and_the_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "per_minute"
    assert Checkpoint(folder).guard(settings(), "cluster-1")
    checkpoint = begun(folder, {"0": 5})
    assert not checkpoint.guard(settings(), "cluster-1")
    with pytest.raises(StreamError, match=r"spark\.shuffle_partitions = 4, but it was 2.*run --fresh.*reset"):
        checkpoint.guard(settings(spark__shuffle_partitions=4), "cluster-1")
    with pytest.raises(StreamError, match=r"kafka\.topic = other, but it was ecommerce_events"):
        checkpoint.guard(settings(kafka__topic="other"), "cluster-1")
    with pytest.raises(StreamError, match="Kafka cluster = cluster-2, but it was cluster-1"):
        checkpoint.guard(settings(), "cluster-2")
    assert not checkpoint.guard(settings(spark__watermark_s=30), "cluster-1"), "the watermark may change"


@pytest.mark.parametrize("torn", ["", '{"kafka.to', "[]"])
def test_what_a_loss_of_power_has_torn_is_written_again_and_keeps_nobody_from_starting(tmp_path: Path, torn: str) -> None:
    checkpoint = begun(tmp_path / "per_minute", {"0": 5})
    checkpoint.identity_file.write_text(torn, "utf-8")
    assert not checkpoint.guard(settings(), "a"), "the checkpoint itself goes on"
    with pytest.raises(StreamError, match="Kafka cluster = b, but it was a"):
        checkpoint.guard(settings(), "b")


def test_settings_may_change_until_the_first_batch(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "per_minute")
    assert checkpoint.guard(settings(), "a")
    assert checkpoint.guard(settings(spark__shuffle_partitions=4), "b")


def test_offsets_beyond_the_end_of_the_topic_are_an_error(tmp_path: Path) -> None:
    checkpoint = begun(tmp_path / "c", {"0": 5, "1": 7})
    assert checkpoint.next_offsets("sales") == {0: 5, 1: 7}
    checkpoint.compare("sales", {0: 0, 1: 0}, {0: 5, 1: 7})
    with pytest.raises(StreamError, match="partition 1, up to offset 7, but the topic ends at 6"):
        checkpoint.compare("sales", {0: 0, 1: 0}, {0: 5, 1: 6})
    Checkpoint(tmp_path / "none").compare("sales", {0: 0}, {0: 0})


def test_records_removed_unread_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    begun(tmp_path / "c", {"0": 5}).compare("sales", {0: 9}, {0: 20})
    assert "retention removed offsets 5 to 8" in caplog.text


def test_a_torn_offset_file_is_passed_over(tmp_path: Path) -> None:
    checkpoint = begun(tmp_path / "c", {"0": 5})
    (tmp_path / "c" / "offsets" / "4").write_text("v1\n{", "utf-8")
    assert checkpoint.next_offsets("sales") == {0: 5}


def test_options_of_a_protected_cluster() -> None:
    kafka = settings(
        kafka__security_protocol="SASL_SSL",
        kafka__sasl_mechanism="SCRAM-SHA-512",
        kafka__sasl_username="me",
        kafka__sasl_password='p"w\\',
        kafka__ssl_cafile="/ca.pem",
    ).kafka
    options = source_options(kafka, "a:1,b:2")
    assert options["kafka.bootstrap.servers"] == "a:1,b:2"
    assert options["kafka.security.protocol"] == "SASL_SSL"
    assert options["kafka.sasl.jaas.config"].endswith('ScramLoginModule required username="me" password="p\\"w\\\\";')
    assert options["kafka.ssl.truststore.type"] == "PEM"
    assert "kafka.sasl.mechanism" not in source_options(settings().kafka, "a:1")


@pytest.mark.parametrize("watermark_s", [1, 10, 120, 3600])
def test_a_clock_that_runs_ahead_cannot_move_the_watermark_past_now(watermark_s: int) -> None:
    assert 0 < ahead_limit_s(watermark_s) < watermark_s


def test_the_table_in_the_log() -> None:
    minute = datetime(2026, 1, 1, 10, 5, tzinfo=UTC)
    lines = [(minute, "Toys", Decimal("1234.50"), 3, 4, 5), (minute, "B" * 40, Decimal("9.99"), 1, 1, 1)]
    assert render(lines).splitlines() == [
        "sales in the minute from 2026-01-01 10:05 UTC",
        "category                   revenue  orders  lines  units",
        "Toys                      1,234.50       3      4      5",
        "BBBBBBBBBBBBBBBBBBBBBBB…      9.99       1      1      1",
        "all                       1,244.49              5      6",
    ]


def test_the_table_in_the_log_of_currencies_without_a_rate() -> None:
    minute = datetime(2026, 1, 1, 10, 5, tzinfo=UTC)
    toys, tools = (minute, "Toys", Decimal("2.50"), 1, 1, 1), (minute, "Tools", None, 1, 1, 2)
    assert render([toys, tools]).splitlines()[1:] == [
        "category  revenue  orders  lines  units",
        "Toys         2.50       1      1      1",
        "Tools     no rate       1      1      2",
        "all          2.50              2      3",
    ]
    assert render([tools, tools]).splitlines()[-1] == "all       no rate              2      4"


def test_the_short_cause_of_a_page_of_java() -> None:
    page = "An error occurred while calling o1.start.\n: a.b.C: outer\n\tat x\nCaused by: k.T: no topic\n\tat y"
    assert short(RuntimeError(page)) == "k.T: no topic"
    assert short(RuntimeError("plain")) == "plain"
    assert len(short(RuntimeError("x" * 1000))) < 400


def test_theenvironment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    monkeypatch.delenv("PYSPARK_GATEWAY_SECRET", raising=False)
    with environment(PYSPARK_GATEWAY_PORT="2", PYSPARK_GATEWAY_SECRET="s"):
        assert os.environ["PYSPARK_GATEWAY_PORT"] == "2"
    assert os.environ["PYSPARK_GATEWAY_PORT"] == "1" and "PYSPARK_GATEWAY_SECRET" not in os.environ


@pytest.mark.parametrize(
    "text", ["2026-01-01", "20260101T100000Z", "2026-01-01x10", "2026-01-01T10:00:00,5+02", "2026-01-01T1000 +0200"]
)
def test_the_pattern_of_other_iso_spellings_admits_only_what_python_admits(text: str) -> None:
    assert re.match(ISO_TIME, text)
    event_time(text, datetime(2026, 6, 1, tzinfo=UTC))


class Computed(Exception):
    pass


class Frame:
    """Says when it is computed."""

    def collect(self) -> None:
        raise Computed


def test_a_micro_batch_waits_for_room_before_anything_of_it_is_computed() -> None:
    left = iter(["room", "room", ""])
    sink = MinuteSink(Address("127.0.0.1", 1, "none", "postgres", "", {}), None, threading.Event(), 1, lambda: next(left))
    with pytest.raises(Computed):
        sink(Frame(), 0)
    assert next(left, None) is None


def test_a_micro_batch_does_not_wait_once_it_is_to_end() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Computed):
        MinuteSink(Address("127.0.0.1", 1, "none", "postgres", "", {}), None, stop, 1, lambda: "room")(Frame(), 0)


def test_the_table_in_the_log_of_many_categories_ends_with_the_sum_of_all() -> None:
    minute = datetime(2026, 1, 1, 10, 5, tzinfo=UTC)
    told = render([(minute, f"c{n}", Decimal(100 - n), 1, 1, 2) for n in range(23)]).splitlines()
    assert len(told) == 2 + 20 + 2 and told[21].split() == ["c19", "81.00", "1", "1", "2"]
    assert [line.split() for line in told[22:]] == [["3", "more", "237.00", "3", "6"], ["all", "2,047.00", "23", "46"]]


def test_a_name_in_the_table_is_one_line_and_says_nothing_to_a_terminal() -> None:
    (_, _, told) = render([(datetime(2026, 1, 1, tzinfo=UTC), "a\nb\x1b[2J", Decimal(1), 1, 1, 1)]).split("\n")
    assert told.startswith("a\\nb\\x1b[2J ")
