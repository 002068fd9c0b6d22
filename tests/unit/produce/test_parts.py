"""The producer's smaller parts: checkpoints, episodes, what it is told, and a pace that changes."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Thread

import pytest

from ecom_lite.observe.figures import InForce
from ecom_lite.produce.counts import MOST_CHECKPOINTS, Checkpoints, Counts, Tally
from ecom_lite.produce.course import Course
from ecom_lite.produce.episodes import BURST, Episodes
from ecom_lite.produce.ledger import Ledger
from ecom_lite.produce.overrides import Overrides
from ecom_lite.produce.pace import Pace
from ecom_lite.produce.recover import Recovered
from ecom_lite.settings.override import ShopOverride
from ecom_lite.settings.tree import Faults, Shop
from ecom_lite.simulate import identity

from .fakes import NOWHERE

NOW = datetime(2026, 7, 15, tzinfo=UTC)


def test_a_checkpoint_counts_once_its_order_is_sent_whole() -> None:
    points, counts = Checkpoints(), {0: Counts(), 1: Counts(resume_offset=3, next_offset=3)}
    points.advance(counts, next_sequence=0, made=10)  # orders 10 and up lie at 0 and 3 or above
    counts[0].next_offset, counts[1].next_offset = 20, 25
    points.advance(counts, next_sequence=9, made=40)  # orders 40 and up at 20 and 25
    assert [count.resume_offset for count in counts.values()] == [0, 3]
    points.advance(counts, next_sequence=10, made=40)
    assert [count.resume_offset for count in counts.values()] == [0, 3]
    points.advance(counts, next_sequence=41, made=60)
    assert [count.resume_offset for count in counts.values()] == [20, 25]


def test_checkpoints_are_thinned_out_and_never_too_high() -> None:
    points, counts = Checkpoints(), {0: Counts()}
    for made in range(1, 5 * MOST_CHECKPOINTS):
        counts[0].next_offset = 2 * made
        points.advance(counts, next_sequence=0, made=made)
    counts[0].next_offset = 20_000
    points.advance(counts, next_sequence=3000, made=90_000)
    assert 5_900 <= counts[0].resume_offset <= 6_000


def test_a_ledger_that_was_never_read_has_nothing_to_write(caplog: pytest.LogCaptureFixture) -> None:
    """As for a second producer of a shop, that is told of the first one and ends."""
    assert Ledger(NOWHERE, "seed-7").close(0) and not caplog.records


def test_counts_add_up() -> None:
    counts = Counts()
    tally = Tally(lines=3, others=2, extras=4, cents=999)
    tally.faults.update({"late": 1, "duplicate": 4})
    counts.add(tally, 17)
    counts.add(tally, 30)
    assert (counts.events, counts.order_lines, counts.other_events, counts.revenue_cents, counts.next_offset) == (
        18,
        6,
        4,
        1998,
        30,
    )
    copy = counts.copy()
    counts.faults["late"] += 1
    assert copy.faults == {"late": 2, "duplicate": 8}


def test_episodes_hit_their_share_of_the_seconds_and_the_same_ones_again() -> None:
    settings = Faults(burst=0.1, silence=0.2)

    def walk(seed: int) -> list[int]:
        episodes = Episodes(seed)
        return [episodes.factor(settings, second + 0.5)[0] for second in range(20_000)]

    factors = walk(7)
    assert factors == walk(7) != walk(8)
    assert factors.count(BURST) == pytest.approx(2000, abs=200)
    assert factors.count(0) == pytest.approx(4000, abs=300)


def test_an_episode_is_named_once_in_its_second() -> None:
    episodes = Episodes(7)
    settings = Faults(silence=0.5, burst=0.5)
    names = [episodes.factor(settings, 1000 + tenth / 10)[1] for tenth in range(100)]
    assert all(names[tenth] and not any(names[tenth + 1 : tenth + 10]) for tenth in range(0, 100, 10))
    assert episodes.factor(Faults(), 2000) == (1, "")


def test_what_is_told_from_another_thread_is_taken_over_at_the_next_look() -> None:
    overrides = Overrides(Faults(late=0.1))
    assert not overrides.apply()
    thread = Thread(target=overrides.put, args=(ShopOverride(7, True, {"late": 0.0, "silence": 0.25, "x": 1}),))
    thread.start()
    thread.join()
    overrides.put(ShopOverride())
    overrides.put(ShopOverride(faults={"malformed": 0.01}))
    assert overrides.rate is None and not overrides.paused
    assert overrides.apply() and not overrides.apply()
    assert overrides.rate == 7.0 and overrides.paused
    assert overrides.in_force(7.0, 3, {}) == InForce(rate=7.0, paused=True, faults={"silence": 0.25, "malformed": 0.01}, held=3)
    overrides.put(ShopOverride("natural", False))
    overrides.apply()
    assert overrides.rate == "natural" and not overrides.paused
    overrides.put(ShopOverride(campaigns={"Books": 0.3, "Pets": 0.1}))
    overrides.put(ShopOverride(campaigns={"Pets": 0.0}))
    assert overrides.apply() and overrides.campaigns == {"Books": 0.3}


def test_a_pace_that_changes_keeps_what_has_come_together_of_the_next_order() -> None:
    pace = Pace(1.0, 0.0)
    pace.sent(pace.due(0.0))
    sent, now = 0, 0.0
    for step in range(200):  # ten changes a second: no order is lost, and none is added
        now = step * 0.1
        pace.change(2.0 if step % 2 else 1.0, now)
        orders = pace.due(now)
        pace.sent(orders)
        sent += orders
    assert sent == pytest.approx(1.5 * now, abs=1.5)


def test_a_course_leaves_out_what_the_broker_has_and_cuts_where_it_is_told() -> None:
    course = Course(Shop(), Faults())
    whole = course.make(50, None, NOW, 0.0)
    ids = [identity(event.value or b"") for event in whole]
    assert course.events == len(whole) and (course.sequence, course.made) == (50, 50)
    present = {event for event in ids if int(event.split("-")[1]) >= 10 and hash(event) % 3}
    rest = [event for event in ids if int(event.split("-")[1]) >= 10 and event not in present]
    course.begin(10, Recovered(0, set(present), 49), 1000)
    assert course.made == 50
    first = course.make(40, 5, NOW, 0.0)
    assert [identity(event.value or b"") for event in first] == rest[:5]
    assert course.events == 1005
    assert course.next_sequence == int(rest[5].split("-")[1])


def test_a_course_with_events_held_back_is_not_beyond_them() -> None:
    course = Course(Shop(), Faults(late=0.5, late_s=60))
    out = course.make(100, None, NOW, 0.0)
    held = course.faults.held
    assert held > 50 and len(out) + held == course.events
    sent = {event.sequence for event in out}
    assert course.next_sequence < 10 and course.made == 100
    late = course.faults.flush()
    assert len(late) == held and course.next_sequence == 100
    assert {event.sequence for event in late} | sent == set(range(100))
