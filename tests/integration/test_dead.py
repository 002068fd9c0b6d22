"""Dead letters are shown without harm, sent again once and with a link, emptied on demand; and the count always closes."""

from __future__ import annotations

import base64
import json
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from ecom_lite.dead_letters.letters import LINK_HEADER, Letter, Place, connected, content, find, newest, other_topics, reasons
from ecom_lite.dead_letters.purge import Wanted, measure, purge, purge_old
from ecom_lite.dead_letters.resend import Result, Wish, resend
from ecom_lite.dead_letters.safe import card, content_json
from ecom_lite.errors import EcomLiteError
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.sqlfiles import read_sql
from tests.integration.topics import records_of

from .facts import standing_still
from .loading import Bench, line
from .raw_records import open_lines

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
AHEAD = "2026-06-10T12:00:00Z"  # too far ahead now, and in the past later
EVIL = b"\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\xe2\x80\xaeabc\x00\xff"


def load(bench: Bench, clock: datetime = NOW) -> None:
    with bench.loading(bench.loader(clock=lambda: clock)) as running:
        bench.until_loaded(running)
    assert running.failure is None


def put(bench: Bench, value: bytes | dict[str, Any] | None, headers: list[tuple[str, bytes]], partition: int = 1) -> None:
    raw = json.dumps(value).encode() if isinstance(value, dict) else value
    with bench.producer() as producer:
        producer.send(bench.topic, value=raw, key=b"user 7", headers=headers, partition=partition)


def send_again(bench: Bench, *places: Place, clock: datetime = NOW, **wish: Any) -> Result:
    with connected(bench.warehouse, "ecom_producer") as connection:
        return resend(connection, bench.client, Wish(bench.topic, places, **wish), lambda: clock)


def empty(bench: Bench, **wanted: Any) -> tuple[int, int]:
    with connected(bench.warehouse, "ecom_producer") as connection:
        meant = Wanted(bench.topic, **wanted)
        return purge(connection, meant, measure(connection, meant))


def letter(bench: Bench, place: Place) -> Letter:
    with connected(bench.warehouse, "ecom_reader") as reader:
        return find(reader, bench.topic, place)


def records(bench: Bench, partition: int) -> list[Any]:
    return [record for record in records_of(bench.client, bench.topic) if record.partition == partition]


def ledger_of_one_broken(bench: Bench) -> None:
    """As the shop writes it when it has sent one event that was broken on purpose."""
    bench.ask(
        "INSERT INTO ops.sent_ledger (shop, partition, events, faults) VALUES ('seed-7', 1, 1, '{\"malformed.not_json\": 1}')"
    )


def test_the_list_counts_by_reason_and_has_the_newest_first(bench: Bench) -> None:
    bench.send([b"{", b"[", line(1), b"[1]", line(2, timestamp=AHEAD)], partition=2)
    load(bench)
    with connected(bench.warehouse, "ecom_reader") as reader:
        found = {entry.reason: (entry.letters, entry.bytes) for entry in reasons(reader, bench.topic)}
        latest = newest(reader, bench.topic, None, 2)
        assert [entry.place for entry in newest(reader, bench.topic, "not_an_object", 9)] == [Place(2, 3)]
        assert newest(reader, "another", None, 9) == [] and other_topics(reader, "another") == {bench.topic: 4}
    assert found["not_json"] == (2, 2) and found["not_an_object"] == (1, 3) and found["bad_timestamp"][0] == 1
    assert len(latest) == 2 and latest[0].loaded_at >= latest[1].loaded_at
    assert all(entry.mark == "" and entry.value_bytes for entry in latest)


def test_nothing_in_a_letter_can_act_on_the_terminal(bench: Bench) -> None:
    name = "\x1b[31mname\u202e"
    put(bench, EVIL * 1000, [(name, EVIL), (LINK_HEADER, EVIL)])
    load(bench)
    with connected(bench.warehouse, "ecom_reader") as reader:
        found = find(reader, bench.topic, Place(1, 0))
        kept = content(reader, found)
    lines = list(card(found, kept))
    assert all(text.isprintable() for text in lines), lines
    shown = "\n".join(lines)
    assert r"\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\u202eabc\x00\xff" in shown and r"\x1b[31mname\u202e" in shown
    assert f"{len(EVIL) * 1000:,} bytes" in shown and f"{len(EVIL) * 1000 - 4000:,} more bytes" in shown
    assert found.link is None, "a forged link is no link"
    exact = content_json(kept)
    assert base64.b64decode(exact["value_base64"] or "") == EVIL * 1000 and exact["value"] is None
    assert json.dumps(found.as_json() | exact).isprintable()


def test_an_unknown_place_is_said(bench: Bench) -> None:
    with pytest.raises(EcomLiteError, match=r"no dead letter 3:9"):
        letter(bench, Place(3, 9))
    with pytest.raises(EcomLiteError, match=r"no dead letter 3:9"):
        send_again(bench, Place(3, 9))


def test_an_older_schema_is_named(bench: Bench) -> None:
    bench.ask("ALTER TABLE ops.dead_letters DROP COLUMN purged_at")
    with pytest.raises(EcomLiteError, match="ecom_lite migrate"):
        letter(bench, Place(0, 0))


def test_only_what_is_an_event_by_now_is_sent_again_once_and_the_count_closes(bench: Bench) -> None:
    put(bench, line(1, timestamp=AHEAD), [("trace", b"\x00\xff"), ("trace", b"2")])
    put(bench, b"{", [])
    load(bench)
    assert send_again(bench, reason="bad_timestamp").refused == {"bad_timestamp": 1}
    rehearsed = send_again(bench, clock=LATER, dry_run=True)
    assert (rehearsed.sent, rehearsed.would_be_sent, rehearsed.refused) == (0, 1, {"not_json": 1}) and len(records(bench, 1)) == 2
    result = send_again(bench, clock=LATER)
    assert (result.letters, result.sent, dict(result.refused)) == (2, 1, {"not_json": 1})
    load(bench, LATER)
    first, _, again = records(bench, 1)
    assert (again.key, again.value, again.partition) == (first.key, first.value, 1)
    assert list(again.headers) == [*first.headers, (LINK_HEADER, f"{bench.topic}/1/0".encode())]
    assert bench.counts() == {"facts": 1, "dead": 2} and open_lines(bench) == []
    assert letter(bench, Place(1, 0)).mark == "re-sent as 1:2, accepted"
    once_more = send_again(bench, clock=LATER)
    assert (once_more.sent, once_more.resent_before) == (0, 1) and "--again" in str(once_more)
    assert send_again(bench, clock=LATER, again=True).sent == 1
    load(bench, LATER)
    assert bench.counts() == {"facts": 1, "dead": 2, "duplicates": 1} and open_lines(bench) == []
    assert letter(bench, Place(1, 0)).resent_to == Place(1, 3)


def test_a_letter_of_a_version_that_did_not_know_epoch_seconds_comes_home(bench: Bench) -> None:
    bench.send([b"{"], partition=1)
    load(bench)
    seconds = json.dumps(line(1, timestamp="@")).replace('"@"', "1767225600.123456").encode()
    detail = "1970-01-21T10:53:45.600123+00:00 is outside 2000-01-01 .. now + 1 day"  # as that version left it
    bench.ask("UPDATE ops.dead_letters SET value = %s, reason = 'bad_timestamp', detail = %s", [seconds, detail])
    assert send_again(bench, reason="bad_timestamp").sent == 1
    load(bench)
    assert bench.ask("SELECT ordered_at FROM warehouse.fact_sales") == [(datetime(2026, 1, 1, 0, 0, 0, 123_456, UTC),)]
    assert bench.counts() == {"facts": 1, "dead": 1} and open_lines(bench) == []


def test_what_the_shop_broke_on_purpose_is_foreign_when_it_is_sent_again(bench: Bench) -> None:
    put(bench, b"{", [*bench.own("malformed.not_json"), ("other", b"x")])
    ledger_of_one_broken(bench)
    load(bench)
    assert open_lines(bench) == []
    fixed = json.dumps(line(1)).encode()
    assert send_again(bench, Place(1, 0), value=fixed).sent == 1
    load(bench)
    again = records(bench, 1)[1]
    assert again.value == fixed and [name for name, _ in again.headers] == ["other", LINK_HEADER]
    assert bench.counts() == {"own": 1, "facts": 1, "dead": 1} and open_lines(bench) == []
    assert empty(bench)[0] == 1
    assert bench.ask("SELECT key, value, headers FROM ops.dead_letters") == [
        (None, None, [[name, base64.b64encode(value).decode()] for name, value in records(bench, 1)[0].headers[:2]])
    ]
    assert open_lines(bench) == [], "the faults are counted by the headers that stay"


def test_what_is_sent_by_force_dies_again_as_a_new_letter_that_names_the_old_one(bench: Bench) -> None:
    bench.send([b"{%d" % number for number in range(120)], partition=1)
    put(bench, None, [])
    load(bench)
    with bench.loading(bench.loader(clock=lambda: NOW)) as running:  # its letters arrive while more are being sent
        result = send_again(bench, force=True)
        bench.until_loaded(running)
    assert (result.sent, result.failed) == (121, 0)
    assert bench.counts() == {"dead": 242} and open_lines(bench) == []
    new = letter(bench, Place(1, 121))
    assert new.link == f"{bench.topic}/1/0" and new.mark == ""
    assert letter(bench, Place(1, 0)).mark == "re-sent as 1:121, dead again"
    third = send_again(bench, Place(1, 121), force=True)
    load(bench)
    assert third.sent == 1 and letter(bench, Place(1, 242)).link == f"{bench.topic}/1/121"


def test_a_named_letter_that_is_no_event_is_refused_with_its_reason(bench: Bench) -> None:
    bench.send([b"{", b"nonsense"])
    load(bench)
    result = send_again(bench, Place(0, 1))
    assert result.sent == 0 and result.named[0][0] == Place(0, 1) and "not_json" in result.named[0][2]
    with pytest.raises(EcomLiteError, match="0:7"):
        send_again(bench, Place(0, 1), Place(0, 7))
    assert send_again(bench, Place(0, 1), value=b"[]").refused == {"not_an_object": 1}
    assert len(records(bench, 0)) == 2


def test_two_that_send_at_once_share_the_letters(bench: Bench) -> None:
    bench.send([b"{", b"["])
    load(bench)
    with standing_still(bench.warehouse, "ecom_producer") as other:
        other.execute('SELECT FROM ops.dead_letters WHERE "offset" = 0 FOR UPDATE')
        assert send_again(bench, force=True).sent == 1
    assert letter(bench, Place(0, 0)).resent_at is None and letter(bench, Place(0, 1)).resent_to == Place(0, 2)


def test_letters_are_marked_also_where_sending_them_takes_longer_than_a_transaction_may_stand_still(bench: Bench) -> None:
    bench.send([line(1, timestamp=AHEAD)], partition=1)
    load(bench)

    def slow() -> datetime:
        threading.Event().wait(1.0)
        return LATER

    with connected(bench.warehouse, "ecom_producer") as connection:
        connection.execute("SET idle_in_transaction_session_timeout = '200ms'")  # ten seconds, but for a test
        assert resend(connection, bench.client, Wish(bench.topic), slow).sent == 1
    assert send_again(bench, clock=LATER).sent == 0


def test_a_record_that_the_broker_refuses_is_said_and_the_others_go(bench: Bench) -> None:
    bench.send([b"{", b"["])
    load(bench)
    for size in (1_500_000, 9_000_000):  # beyond the topic's limit, and the client's own; nothing that compresses
        huge = random.Random(size).randbytes(size)
        assert send_again(bench, Place(0, 0), value=huge, force=True).failed == 1
    assert letter(bench, Place(0, 0)).resent_at is None
    with connected(bench.warehouse, "ecom_producer") as connection, pytest.raises(EcomLiteError, match="0 of 2 letters"):
        nobody = {**bench.client, "bootstrap_servers": ["127.0.0.1:9"], "bootstrap_timeout_ms": 500}
        resend(connection, nobody, Wish(bench.topic, force=True))


def test_neither_key_nor_value_cannot_be_sent(bench: Bench) -> None:
    with bench.producer(value_serializer=lambda _: None) as producer:
        producer.send(bench.topic, value="nothing", partition=0)
    load(bench)
    assert send_again(bench, force=True).failed == 1


def test_a_purge_takes_the_bytes_and_leaves_what_the_count_needs(bench: Bench) -> None:
    put(bench, b"{" + b"x" * 10_000, [("big", b"y" * 10_000), (LINK_HEADER, b"old.topic/0/5")])
    bench.send([b"{", line(1)])
    load(bench)
    send_again(bench, Place(0, 0), force=True)
    load(bench)
    assert empty(bench, reason="not_an_object") == (0, 0)
    assert empty(bench, older_than_s=3600.0) == (0, 0)
    assert empty(bench, resent=True)[0] == 1
    bench.ask("UPDATE ops.dead_letters SET loaded_at = loaded_at - interval '31 days' WHERE partition = 1")
    letters, freed = empty(bench, older_than_s=30 * 86_400.0)
    assert letters == 1 and freed > 23_000
    found = letter(bench, Place(1, 0))
    assert (found.value_bytes, found.key_bytes, found.purged_bytes, found.mark) == (None, None, freed, "purged")
    assert found.link == "old.topic/0/5" and open_lines(bench) == []
    with connected(bench.warehouse, "ecom_reader") as reader:
        assert "bytes are gone" in "\n".join(card(found, content(reader, found)))
    result = send_again(bench, Place(1, 0), force=True)
    assert (result.sent, result.purged) == (0, 1) and "purged" in str(result)
    assert empty(bench)[0] == 1 and empty(bench) == (0, 0), "the one that died again, then none"


def test_the_bytes_of_old_letters_go_by_themselves_and_the_rows_stay(bench: Bench) -> None:
    put(bench, b"{", [])
    put(bench, b"[", [])
    load(bench)
    bench.ask("UPDATE ops.dead_letters SET loaded_at = now() - interval '366 days' WHERE \"offset\" = 0")
    now = datetime.now(UTC)
    with connected(bench.warehouse, "ecom_producer") as connection:
        assert purge_old(connection, ["another", bench.topic], 365, now) == 1
        assert purge_old(connection, [bench.topic], 365, now) == 0, "once"
        bench.ask("UPDATE ops.dead_letters SET loaded_at = now() - interval '370 days'")
        assert purge_old(connection, [], 365, now) == 0, "somebody loads that topic, and may keep more"
        bench.ask("UPDATE ops.consumer_offsets SET updated_at = now() - interval '366 days'")
        assert purge_old(connection, [], 365, now) == 1
    assert [letter(bench, Place(1, offset)).mark for offset in (0, 1)] == ["purged", "purged"]


def test_what_it_costs_to_find_old_letters_does_not_grow_with_the_letters(bench: Bench) -> None:
    """Ten times as many that are young: the pages that are looked at are the same few."""
    insert = (
        'INSERT INTO ops.dead_letters (topic, partition, "offset", value, headers, reason, detail, error_class, loaded_at) '
        "SELECT 'grown', 0, n, '{', '[]', 'not_json', '', 'E', now() - interval '300 days' * random() "
        "FROM generate_series(%s::int, %s::int) n"
    )
    explained = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + read_sql("ecom_lite.dead_letters", "purge")
    wanted = {"topic": "grown", "reason": None, "resent": False, "older_than_s": 365 * 86_400, "before": datetime.now(UTC)}
    headers = dict.fromkeys(("producer_header", "fault_header", "link"), "h")
    looked = []
    with bench.warehouse.connect("admin", autocommit=True) as admin:
        for first, last in ((1, 3_000), (3_001, 30_000)):
            admin.execute(insert.encode(), [first, last])
            admin.execute("ANALYZE ops.dead_letters")
            ((plan,),) = admin.execute(explained, wanted | headers).fetchall()
            looked.append(plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"])
    assert looked[1] <= looked[0] + 3, looked


def test_a_purge_leaves_what_came_after_the_question(bench: Bench) -> None:
    bench.send([b"{"])
    load(bench)
    with connected(bench.warehouse, "ecom_producer") as connection:
        wanted = Wanted(bench.topic)
        size = measure(connection, wanted)
        bench.send([b"["])
        load(bench)
        assert purge(connection, wanted, size)[0] == size.letters == 1
    assert letter(bench, Place(0, 1)).purged_at is None


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("ecom_loader", "UPDATE ops.dead_letters SET value = NULL"),
        ("ecom_loader", "DELETE FROM ops.dead_letters"),
        ("ecom_producer", "UPDATE ops.dead_letters SET reason = 'x'"),
        ("ecom_producer", 'UPDATE ops.dead_letters SET "offset" = 1'),
        ("ecom_producer", "DELETE FROM ops.dead_letters"),
        ("ecom_reader", "UPDATE ops.dead_letters SET resent_at = now()"),
    ],
)
def test_nobody_may_do_more_than_it_takes(warehouse: Address, role: str, statement: str) -> None:
    with warehouse.connect(role) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(statement.encode())
    assert refused.value.sqlstate in ("42501", "25006")
