"""`produce FILE` against a real Kafka: what stood in the file is in the topic, keyed, in order, at its pace, and counted."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.partitioner import murmur2

from ecom_lite.contract import events
from ecom_lite.contract.reader import make_reader
from ecom_lite.errors import EcomLiteError, NotRunning, UsageError
from ecom_lite.export.generate import generate
from ecom_lite.live.broker import bootstrap_of
from ecom_lite.live.lock import RunLock
from ecom_lite.live.state import RunState, write_state
from ecom_lite.own_events import send as send_file
from ecom_lite.own_events.attempt import attempt
from ecom_lite.own_events.newest import newest
from ecom_lite.own_events.records import MAX_RECORD_BYTES
from ecom_lite.own_events.send import Result, Wish
from ecom_lite.settings.events import Events
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.simulate import Shop, Timetable
from ecom_lite.topic import client as kafka_client
from ecom_lite.topic.ends import TopicEnds
from tests.integration.topics import records_of
from tests.runs import VERB_S, wait_for

NOW = datetime.now(UTC).replace(microsecond=0)
MAX = Wish(rate="max")


def settings_for(bootstrap: str, topic: str, data_dir: Path) -> Settings:
    flags = {"kafka.topic": topic, "kafka.bootstrap": bootstrap, "run.data_dir": data_dir}
    return load_settings(env={}, flags=flags)


@pytest.fixture
def settings(kafka_bootstrap: str, topic: str, data_dir: Path) -> Settings:
    return settings_for(kafka_bootstrap, topic, data_dir)


def line(user: object = 3, number: int = 1, at_s: float = 0.0, **changes: object) -> bytes:
    event = {
        "order_id": f"mine-{number}", "user_id": user, "product_id": 7, "product_title": "Café crème", "category": "Drinks",
        "price": 2.5, "quantity": 2, "revenue": 5.0, "timestamp": (NOW - timedelta(days=1, seconds=-at_s)).isoformat(),
    }  # fmt: skip
    return json.dumps({**event, **changes}, ensure_ascii=False).encode()


def in_topic(settings: Settings) -> list[Any]:
    """All records, partition after partition."""
    return records_of(kafka_client.client_config(settings.kafka, settings.kafka.bootstrap), settings.kafka.topic)


def ends(settings: Settings) -> dict[int, int]:
    return kafka_client.end_offsets(kafka_client.client_config(settings.kafka, settings.kafka.bootstrap), settings.kafka.topic)


def holds(settings: Settings, records: int) -> bool:
    return sum(ends(settings).values()) == records


class Time:
    """A clock that only sleeping moves, and when each event was handed over by it."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= send_file.WAIT_S
        self.now_s += seconds
        self.slept.append(seconds)


def sent(settings: Settings, file: Path, wish: Wish, clock: Time | None = None) -> tuple[Result, list[str]]:
    said: list[str] = []
    clock = clock or Time()
    result = send_file.send_file(
        settings, str(file), wish, said.append, bootstrap_of, monotonic=clock.monotonic, sleep=clock.sleep
    )
    return result, said


def test_the_shops_own_lines_arrive_whole_keyed_and_in_order_per_key(settings: Settings, tmp_path: Path) -> None:
    opening = datetime(2026, 1, 1, tzinfo=UTC)
    stream = Shop(settings.shop).batch(0, 10_000, Timetable(settings.shop, opening))
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join((event.value or b"") + b"\n" for event in stream))
    result, said = sent(settings, file, MAX)
    assert (result.lines, result.sent, result.acknowledged, result.broken) == (len(stream),) * 3 + (0,)
    assert said == [f"sending to topic {settings.kafka.topic}: as fast as it goes"]
    records = in_topic(settings)
    assert Counter(record.value for record in records) == Counter(event.value for event in stream)
    of_key, expected = defaultdict(list), defaultdict(list)
    for record in records:
        of_key[record.key].append(record.value)
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % 4
        assert not record.headers, "foreign to the ledger"
    for event in stream:
        expected[str(events.parse(event.value, NOW).user_id).encode()].append(event.value)
    assert of_key == expected


def test_lines_go_as_they_are_with_the_customer_as_key_and_the_broken_ones_are_named(settings: Settings, tmp_path: Path) -> None:
    lines = {
        line("0012"): b"12",
        line("018f3f6e-7c1a"): b"018f3f6e-7c1a",
        line("Zoë"): "Zoë".encode(),
        b"  " + line(4, 2).replace(b", ", b" ,\t") + b" ": b"4",
        line(5, 3, revenue=4.0): b"5",
        line(6, 4, quantity=0): b"6",
        line(True, 5): None,
        line(None, 6): None,
        b"not json": None,
        b'{"user_id": 8}': b"8",
        b'{"user_id": "9"}': b"9",
        b'{"user_id": "c-9"}': b"c-9",
        b'{"user_id": ""}': None,
        b'{"user_id": "%b"}' % (b"x" * 65): None,
        b"[1]": None,
        b'{"broken \xff": 1}': None,
        b'{"event_type":"order_cancelled","order_id":1,"product_id":7,"quantity":1,"timestamp":1767261600000}': None,
    }
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n\n" + b"\r\n".join(lines) + b"\n  \n")
    result, said = sent(settings, file, MAX)
    assert {record.value: record.key for record in in_topic(settings)} == lines
    assert (result.sent, result.acknowledged, result.broken, result.unsent) == (17, 17, 12, 0)
    assert result.reasons["revenue_mismatch"] == 1 and result.reasons["not_json"] == 1 and result.reasons["not_utf8"] == 1
    named = [text for text in said if text.startswith("line ")]
    assert [text.split(":")[0] for text in named] == ["line 7", "line 8", "line 9", "line 10", "line 11"]
    assert "revenue_mismatch" in named[0] and named[0].endswith("(will be a dead letter)")
    assert "further ones that break the contract are only counted" in said
    assert str(result).startswith("17 events sent and acknowledged in ") and "12 of them break the contract (" in str(result)


def test_timestamps_set_the_pace_and_the_first_event_goes_at_once(settings: Settings, tmp_path: Path) -> None:
    offsets = [0.0, 1.0, 1.0, 600.0, 30.0, 3600.0]  # one is out of order: it goes when its turn has come
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join(line(1, n, at_s) for n, at_s in enumerate(offsets)))
    clock = Time()
    result, said = sent(settings, file, Wish(), clock)
    assert result.acknowledged == 6
    assert sum(clock.slept) == pytest.approx(3600)
    assert "as the timestamps say: it takes 1:00:00; --speed makes that shorter, --rate max" in said[0]
    clock = Time()
    result, said = sent(settings, file, Wish(speed=600), clock)
    assert sum(clock.slept) == pytest.approx(6) and result.seconds == pytest.approx(6)
    assert said[0].endswith("as the timestamps say, 600 times as fast: it takes 0:00:06")


def test_a_rate_sets_the_pace_whatever_the_timestamps(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join(line(1, n, n * 500.0) for n in range(41)))
    clock = Time()
    _, said = sent(settings, file, Wish(rate=20.0), clock)
    assert sum(clock.slept) == pytest.approx(2)
    assert said[0].endswith("20 events per second")


def test_lines_without_timestamps_go_as_fast_as_they_can(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b'{"user_id": 1}\n' * 10)
    clock = Time()
    result, said = sent(settings, file, Wish(), clock)
    assert result.acknowledged == 10 and clock.slept == []
    assert said[-1].endswith("only counted") and any(text.endswith("as fast as it goes") for text in said)


def test_a_line_that_kafka_cannot_take_is_not_sent_and_the_others_are(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    largest = b'{"user_id": 1, "x": "' + b"x" * (MAX_RECORD_BYTES - 23) + b'"}'
    assert len(largest) == MAX_RECORD_BYTES
    file.write_bytes(b"\n".join([line(1, 1), b"x" * 3_000_000, largest, line(1, 2)]))
    result, said = sent(settings, file, MAX)
    assert (result.lines, result.sent, result.acknowledged, result.unsent) == (4, 3, 3, 1)
    assert {len(record.value) for record in in_topic(settings)} == {len(line(1, 1)), MAX_RECORD_BYTES}
    assert any(text.startswith("line 2: too_large") and text.endswith("(not sent)") for text in said)
    assert str(result).endswith("1 could not be sent")


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_what_the_shop_wrote_as_another_form_is_events_again(settings: Settings, form: str, tmp_path: Path) -> None:
    file, lines = tmp_path / f"events.{form}", tmp_path / "events.jsonl"
    shop = load_settings(env={}, flags={"shop.events": 2_000, "shop.start": "2026-01-01T00:00Z"}).shop
    generate(shop, "jsonl", lines, print)
    if form == "json":
        file.write_bytes(b"[" + b",".join(lines.read_bytes().splitlines()) + b"]")
    else:
        generate(shop, "csv" if form == "csv" else "parquet", file, print)
    result, said = sent(settings, file, Wish(rate="max", strict=True))
    assert (result.lines, result.acknowledged, result.broken) == (2_000, 2_000, 0), said
    assert f"reading {file} as " in said[0]
    expected = Counter(str(events.parse(value, NOW)) for value in lines.read_bytes().splitlines())
    assert Counter(str(events.parse(record.value, NOW)) for record in in_topic(settings)) == expected


def test_a_row_that_does_not_fit_its_header_is_named_and_not_sent(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("order_id,user_id,title\n1,7,Mug\n2,7,Mug, blue\n3,7,Mug\n")
    result, said = sent(settings, file, MAX)
    assert [json.loads(record.value)["order_id"] for record in in_topic(settings)] == ["1", "3"]
    assert (result.sent, result.unsent, result.reasons["bad_row"]) == (2, 1, 1)
    assert any(text.startswith("line 3: bad_row: 4 cells") and text.endswith("(not sent)") for text in said)


def test_strict_sends_nothing_of_a_file_with_one_that_is_broken(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join([line(1, 1), b"no", line(1, 2)]))
    result, said = sent(settings, file, Wish(rate="max", strict=True))
    assert (result.refused, result.lines, result.sent, result.broken) == (True, 3, 0, 1)
    assert str(result) == "nothing is sent: 1 of 3 records break the contract (not_json 1)"
    assert said == ["line 2: not_json: Input data was truncated"]
    assert in_topic(settings) == []


def test_check_sends_nothing_and_needs_no_broker(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join([line(), b"no", line()]))
    result, said = sent(settings_for("", "events", data_dir), file, Wish(check=True))
    assert (result.lines, result.sent, result.broken) == (3, 0, 1)
    assert str(result) == "3 lines, 1 of them break the contract (not_json 1)"
    (named,) = said
    assert named.startswith("line 2: not_json") and "will be" not in named
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x1f\x8b\x08\x00rest", "cannot be read: "),
        (b"PAR1\x15\x04", "Parquet"),
        ("{}".encode("utf-16"), "UTF-16"),
        (b"\x7fELF\x00\x00", "no text"),
    ],
)
def test_a_file_of_another_kind_is_named_and_not_sent(content: bytes, what: str, data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=what):
        sent(settings_for("", "events", data_dir), file, Wish(check=True))


def test_a_file_that_is_not_there_or_is_a_folder_is_named(data_dir: Path, tmp_path: Path) -> None:
    settings = settings_for("", "events", data_dir)
    with pytest.raises(UsageError, match="no such file"):
        sent(settings, tmp_path / "none", MAX)
    with pytest.raises(UsageError, match="is a folder"):
        sent(settings, tmp_path, MAX)


def test_without_a_broker_it_says_what_to_do(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(line())
    with pytest.raises(NotRunning, match=r"ecom_lite run.*ECOM_LITE_KAFKA__BOOTSTRAP"):
        sent(settings_for("", "events", data_dir), file, MAX)
    with pytest.raises(EcomLiteError, match=r"no Kafka at 127\.0\.0\.1:9 "):
        sent(settings_for("127.0.0.1:9", "events", data_dir), file, MAX)


def test_the_live_run_is_found_by_its_state_file(kafka_bootstrap: str, topic: str, data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(line())
    settings = settings_for("", topic, data_dir)
    with RunLock(data_dir, "run"):
        with pytest.raises(EcomLiteError, match="still starting"):
            sent(settings, file, MAX)
        write_state(data_dir, RunState(bootstrap=kafka_bootstrap))
        assert sent(settings, file, MAX)[0].acknowledged == 1
    with pytest.raises(NotRunning):
        sent(settings, file, MAX)


def test_a_topic_that_is_not_there_is_named(kafka_bootstrap: str, data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(line())
    with pytest.raises(EcomLiteError, match="Kafka has no topic nowhere"):
        sent(settings_for(kafka_bootstrap, "nowhere", data_dir), file, MAX)


# The command with more than two seconds for what is on its way when it is interrupted: a busy machine's broker needs them.
PATIENT = """
import runpy
from ecom_lite.own_events import send
send.STOP_S = 40.0
runpy.run_module("ecom_lite", run_name="__main__")
"""


@contextmanager
def produce(settings: Settings, *arguments: str, folder: Path, **pipes: Any) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", PATIENT, "produce", *arguments, "--data-dir", str(settings.data_dir)]
    kafka = {"ECOM_LITE_KAFKA__BOOTSTRAP": settings.kafka.bootstrap, "ECOM_LITE_KAFKA__TOPIC": "another"}
    env = {**os.environ, **kafka}
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()  # where the test has failed


def test_the_command_reads_stdin_and_tells_programs_what_it_did(settings: Settings, tmp_path: Path) -> None:
    topic = ["--topic", settings.kafka.topic]
    with produce(settings, "-", "--rate", "max", "--json", *topic, folder=tmp_path, stdin=subprocess.PIPE) as process:
        out, err = process.communicate(line(1, 1) + b"\n" + line(2, 2), timeout=VERB_S)
    assert process.returncode == 0, err
    told = json.loads(out)
    assert (told["topic"], told["lines"], told["acknowledged"], told["broken"]) == (settings.kafka.topic, 2, 2, 0)
    assert b"2 events sent and acknowledged in" in err
    assert len(in_topic(settings)) == 2


def test_strict_sends_standard_input_as_it_comes_and_fails_at_the_end(settings: Settings, tmp_path: Path) -> None:
    arguments = ["-", "--strict", "--rate", "max", "--format", "csv", "--topic", settings.kafka.topic]
    with produce(settings, *arguments, folder=tmp_path, stdin=subprocess.PIPE) as process:
        _, err = process.communicate(b"user_id\n7\n", timeout=VERB_S)
    assert process.returncode == 1 and b"line 2: missing_field" in err
    assert [record.value for record in in_topic(settings)] == [b'{"user_id":"7"}']


def test_a_line_on_a_pipe_that_then_says_nothing_is_sent_and_bears_the_time_at_which_it_came(
    settings: Settings, tmp_path: Path
) -> None:
    written_ms = []
    with produce(
        settings, "-", "--rate", "max", "--topic", settings.kafka.topic, folder=tmp_path, stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        for number in range(1, 4):
            written_ms.append(time.time() * 1000)
            process.stdin.write(line(1, number) + b"\n")
            process.stdin.flush()
            wait_for(partial(holds, settings, number), "the line is in the topic")
        process.stdin.close()
        process.wait(VERB_S)
    assert process.returncode == 0
    came_ms = [record.timestamp for record in in_topic(settings)]
    assert all(came >= int(written) for came, written in zip(came_ms, written_ms, strict=True))


def test_a_topic_that_takes_small_batches_only_gets_small_ones(settings: Settings, tmp_path: Path) -> None:
    narrow = settings_for(settings.kafka.bootstrap, f"{settings.kafka.topic}-narrow", settings.run.data_dir)
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap)
    admin.create_topics({narrow.kafka.topic: {"num_partitions": 4, "configs": {"max.message.bytes": "8000"}}})
    admin.wait_for_topics([narrow.kafka.topic])
    admin.close()
    noise = random.Random(7)
    lines = [line(number % 9, number, note=noise.randbytes(100).hex()) for number in range(3_000)]
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join(lines))
    assert sent(narrow, file, MAX)[0].acknowledged == 3_000
    assert Counter(record.value for record in in_topic(narrow)) == Counter(lines)
    file.write_bytes(b"\n".join([line(1, 1), line(1, 2, note=noise.randbytes(9_000).hex())]))
    with pytest.raises(EcomLiteError, match=r"max\.message\.bytes.*of 2 events were acknowledged before"):
        sent(narrow, file, MAX)


def test_the_newest_records_of_the_topic_are_tried_and_a_simulated_shops_are_no_matter_of_the_mapping(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join([line(user, user) for user in range(1, 40)]))
    sent(settings, file, MAX)
    config = kafka_client.client_config(settings.kafka, settings.kafka.bootstrap)
    producer = KafkaProducer(**config)
    for value, headers in (
        (line(1, 90), [(events.PRODUCER_HEADER, b"shop@1")]),
        (line(1, 91, order_id=None, id="91"), []),
        (None, []),
    ):
        producer.send(settings.kafka.topic, value, key=b"1", headers=headers).get(timeout=VERB_S)
    producer.close()
    ends = kafka_client.end_offsets(config, settings.kafka.topic)
    mapping = Events.model_validate({"fields": {"order_id": "id"}})
    found = newest(config, settings.kafka.topic, 5)
    tried = attempt(((one, None if shop else make_reader(mapping)) for one, shop in found), events.utc_now, 5)
    assert (tried.records, tried.loads) == (5, 2)
    assert tried.reasons == {"missing_field": 2, "empty": 1}
    assert [one.events[0].user_id for one in tried.loading] == [1, 1]
    assert kafka_client.end_offsets(config, settings.kafka.topic) == ends
    command = [sys.executable, "-m", "ecom_lite", "events", "try", "--topic", settings.kafka.topic, "--last", "4", "--json"]
    env = {**os.environ, "ECOM_LITE_KAFKA__BOOTSTRAP": settings.kafka.bootstrap}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=VERB_S)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["records"], told["loads"], told["dies"]) == (4, 2, 2)


def test_ctrl_c_says_how_many_were_acknowledged(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join([line(1, n) for n in range(5)] + [line(1, 9, at_s=3600)]))
    with produce(settings, str(file), "--json", "--topic", settings.kafka.topic, folder=tmp_path) as process:
        wait_for(lambda: process.poll() is not None or len(in_topic(settings)) == 5, "the first five")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=VERB_S)
    assert process.returncode == 130
    assert json.loads(out)["acknowledged"] == 5 and json.loads(out)["interrupted"]
    assert b"5 events sent and acknowledged" in err and b"Traceback" not in err


def test_ctrl_c_at_full_speed_leaves_as_many_in_the_topic_as_it_says(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_bytes(b"\n".join(line(number % 1000, number) for number in range(300_000)))
    arguments = [str(file), "--rate", "max", "--json", "--topic", settings.kafka.topic]
    client = kafka_client.client_config(settings.kafka, settings.kafka.bootstrap)
    with closing(TopicEnds(client, [settings.kafka.topic])) as there, produce(settings, *arguments, folder=tmp_path) as process:
        # Asked by one client that stays open: a new one each time may be so slow that the file is at its end.
        wait_for(lambda: process.poll() is not None or any(there.ask().values()), "it sends")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=VERB_S)
    told = json.loads(out)
    assert process.returncode == 130 and told["interrupted"] and 0 < told["sent"] < 300_000
    assert told["acknowledged"] == told["sent"] == sum(ends(settings).values())
