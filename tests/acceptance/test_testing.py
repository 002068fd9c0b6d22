"""What a test has in hands with the plugin: a topic, a database and a loader of its own, and engines that are shared."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecom_lite.engines.jars import default_cache_dir
from ecom_lite.errors import EngineError, UsageError
from ecom_lite.testing import TopicWarehouse
from ecom_lite.testing.events import shop_events
from ecom_lite.testing.lease import SOCKET, Lease
from ecom_lite.testing.topic import topic_warehouse
from tests.acceptance.test_light_run import plain_event
from tests.acceptance.testing_sessions import GONE_S, SESSION_S, family, keepers, named
from tests.runs import wait_for, wait_until_gone
from tests.unit.run import pages

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 120.0
PATIENTLY = ("-o", f"ecom_lite_timeout={WAIT_S:g}")  # beside other tests a loader may take longer than the page says


def a_lease(**flags: str) -> Lease:
    return Lease(uuid.uuid4().hex[:16], {name.replace("__", "."): value for name, value in flags.items()})


@contextmanager
def topic_on(lease: Lease, name: str = "", **flags: object) -> Iterator[TopicWarehouse]:
    with topic_warehouse(lease, name, {key.replace("__", "."): value for key, value in flags.items()}, WAIT_S) as topic:
        yield topic


@pytest.fixture(scope="module")
def lease() -> Iterator[Lease]:
    lease = a_lease()
    lease.take()
    yield lease
    lease.give_back()
    wait_for(lambda: not (lease.folder / SOCKET).exists(), "the end of the engines", GONE_S)


@pytest.fixture
def topic(lease: Lease) -> Iterator[TopicWarehouse]:
    with topic_on(lease) as topic:
        yield topic


def test_what_is_sent_is_loaded_and_what_is_refused_is_an_object(topic: TopicWarehouse) -> None:
    assert topic.send(plain_event(number) for number in range(200)) == 200
    topic.send([plain_event(0), {"order_id": "A-3"}, b"nonsense"])
    assert len(topic.assert_facts(plain_event(number) for number in range(200))) == 200
    assert topic.counts() == {"facts": 200, "duplicates": 1, "other_events": 0, "dead_letters": 2}
    (letter,) = topic.assert_dead(1, reason="missing_field")
    assert letter.event == {"order_id": "A-3"} and letter.key == b"" and letter.reason == "missing_field"
    (letter,) = topic.dead_letters("not_json")
    assert letter.value == b"nonsense" and letter.event is None and "nonsense" in str(letter)
    assert topic.query("SELECT count(*) FROM warehouse.fact_sales") == [(200,)]
    assert topic.assert_closes().figures["facts"] == 200
    with pytest.raises(UsageError, match="no dead letter has the reason 'missing'"):
        topic.assert_dead(reason="missing")


def test_the_second_test_does_not_see_the_first_ones_rows(lease: Lease, topic: TopicWarehouse) -> None:
    with topic_on(lease) as other:
        topic.send([plain_event(1)])
        other.send([plain_event(2), {"nonsense": 1}])
        topic.assert_facts([plain_event(1)])
        other.assert_facts([plain_event(2)])
        topic.assert_dead(0)
        other.assert_dead(1)
        assert other.topic != topic.topic and other.conninfo != topic.conninfo and other.bootstrap == topic.bootstrap


def test_after_a_reset_there_is_nothing_under_the_same_names(topic: TopicWarehouse) -> None:
    topic.send([plain_event(1), {"nonsense": 1}])
    topic.assert_facts(1)
    name, conninfo = topic.topic, topic.conninfo
    topic.reset()
    assert (topic.topic, topic.conninfo) == (name, conninfo)
    topic.assert_facts(0)
    topic.assert_dead(0)
    topic.send([plain_event(1), plain_event(2)])
    topic.assert_facts(2)
    topic.assert_closes()


def test_a_test_has_settings_of_its_own(lease: Lease) -> None:
    with topic_on(lease, "orders", kafka__partitions=1, events__attributes={"channel": "text"}) as topic:
        topic.send([{**plain_event(1), "channel": "web"}])
        (fact,) = topic.assert_facts(1, channel="web")
        assert topic.topic == "orders" and fact["channel"] == "web"
        assert topic.query("SELECT count(*) FROM ops.consumer_offsets") == [(1,)]
    with pytest.raises(UsageError, match=r"jars\.cache_dir: cannot be set for one test"), topic_on(lease, jars__cache_dir="x"):
        pass


def test_events_of_the_shop_are_the_same_for_the_same_seed(topic: TopicWarehouse) -> None:
    events = shop_events(120)
    assert events == shop_events(120) and len(events) == 120
    assert events != shop_events(120, seed=8) and events[:50] == shop_events(50)
    topic.send(events)
    facts = topic.assert_facts(events)
    assert len(facts) == sum(event.get("event_type", "order") == "order" for event in events)
    topic.assert_dead(0)


@pytest.mark.long
def test_the_marts_are_part_of_the_count_also_after_a_refresh_that_was_interrupted(topic: TopicWarehouse) -> None:
    topic.send(plain_event(number) for number in range(20))
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            topic.refresh()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert topic.assert_closes(marts=True).figures["facts"] == 20
    assert topic.query("SELECT sum(orders)::int FROM marts.daily_sales") == [(20,)]


def test_two_sessions_at_once_have_engines_of_their_own(lease: Lease, topic: TopicWarehouse) -> None:
    other = a_lease()
    try:
        with topic_on(other, topic.topic) as second:
            second.send([plain_event(1)])
            second.assert_facts(1)
            topic.assert_facts(0)
            assert second.topic == topic.topic and second.bootstrap != topic.bootstrap
    finally:
        other.give_back()
    wait_for(lambda: not other.folder.exists(), f"{other.folder} gone", GONE_S)
    topic.send([plain_event(1)])
    topic.assert_facts(1)


def test_a_template_that_is_no_good_is_made_anew(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for kept in ("jars", "cds"):
        (cache / kept).symlink_to(default_cache_dir() / kept)

    def session() -> Path:
        lease = a_lease(jars__cache_dir=str(cache))
        try:
            with topic_on(lease) as topic:
                topic.send([plain_event(1)])
                topic.assert_facts(1)
        finally:
            lease.give_back()
        (template,) = (cache / "testing").glob("postgres-*")
        return template

    template = session()
    manifest, control = template / "manifest.json", template / "cluster" / "global" / "pg_control"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text("utf-8")), "./more": 1}), "utf-8")  # not all of it is there
    session()
    assert "./more" not in json.loads(manifest.read_text("utf-8"))
    control.write_bytes(bytes(control.stat().st_size))  # as large as it was, and no server starts on it
    session()
    assert control.read_bytes().strip(b"\0")


def test_waiting_ends_and_says_how_far_the_loader_came(topic: TopicWarehouse) -> None:
    topic.send([plain_event(1)])
    with pytest.raises(TimeoutError, match=r"not loaded after 0 s: the topic ends at .*events_.*: 1\}, loaded are"):
        topic.wait_loaded(0)


@pytest.mark.long
def test_the_death_of_an_engine_or_of_the_keeper_is_said() -> None:
    lease = a_lease()
    try:
        with topic_on(lease) as topic:
            (keeper,) = keepers(lease.folder)
            java = named(family(keeper))["java"]
            java.kill()
            wait_until_gone([java])
            with pytest.raises(EngineError, match="Kafka has died; its log ends"):
                topic.reset()
            keeper.send_signal(signal.SIGKILL)
            wait_until_gone([keeper])
            with pytest.raises(EngineError, match="the keeper of the engines has died"):
                topic.wait_loaded()
        with topic_on(lease) as again:  # the next test has new ones
            again.send([plain_event(1)])
            again.assert_facts(1)
            with pytest.raises(EngineError, match="the engines were started anew"):
                lease.ask("wait", "events_0", 1)
    finally:
        lease.give_back()
    wait_for(lambda: not lease.folder.exists(), f"{lease.folder} gone", GONE_S)


def test_the_example_of_the_page_holds_in_a_project_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(pages.CONFTEST, "utf-8")
    (tmp_path / "test_mine.py").write_text(pages.EXAMPLE, "utf-8")
    use = "def test_it_is_up(small_batches):\n    small_batches.assert_facts(0)\n    small_batches.assert_closes()\n"
    (tmp_path / "test_settings.py").write_text(f"{pages.SETTINGS}\n\n{use}", "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    options = ("-q", "-p", "no:cacheprovider", *PATIENTLY, "--rootdir", str(tmp_path))
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SESSION_S, env=environment)
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr
