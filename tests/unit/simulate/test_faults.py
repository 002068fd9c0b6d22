"""Data faults: which events are hit, that the shop's own stream stays whole, and that every broken record is refused as said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from ecom_lite.contract import events
from ecom_lite.contract import rejected as reasons
from ecom_lite.settings.tree import Faults as FaultSettings
from ecom_lite.simulate import MALFORMED, Faults, Outgoing, identity, order_of
from ecom_lite.simulate.faults import MAX_HELD, MOST_OVERTAKING, STILL_S
from ecom_lite.simulate.malformed import HUGE_WEIGHT, USUAL_WEIGHT, kinds_for

TIME = datetime(2026, 11, 23, 6, 47, 20, 896327, tzinfo=UTC)
ALL_ON: dict[str, object] = {"late": 0.1, "duplicate": 0.1, "out_of_order": 0.1, "malformed": 0.1}
TITLES = ("Cast Iron Skillet 28 cm", 'The "Café" Set', "Smart Plug, 4 Pack: {new}", "日本の本")


def line(order: int, number: int = 1) -> bytes:
    price = Decimal("19.95")
    return events.encode(
        events.OrderLine(
            order_id=f"7-{order}",
            user_id=order % 97 + 1,
            product_id=101,
            product_title=TITLES[order % len(TITLES)],
            category="Home & Kitchen",
            price=price,
            quantity=order % 5 + 1,
            revenue=price * (order % 5 + 1),
            timestamp=TIME,
            event_id=f"7-{order}-{number}",
            event_type="order",
            schema_version=1,
        )
    )


def own_events() -> dict[str, bytes]:
    """One of each type, as the shop writes them."""
    values = {"order": line(12)}
    for kind in ("order_cancelled", "order_returned"):
        values[kind] = events.encode(
            events.OrderReversal(
                event_type=kind,
                order_id="7-9",
                user_id=3,
                product_id=101,
                quantity=2,
                reason="too small" if kind == "order_returned" else "",
                timestamp=TIME,
                event_id="7-12-back1",
                schema_version=1,
            )
        )
    for kind in ("user_registered", "user_updated"):
        values[kind] = events.encode(
            events.UserChange(
                event_type=kind,  # type: ignore[arg-type]
                user_id=5,
                name="Núria Øst",
                email="nuria.ost.5@example.com",
                city="Córdoba",
                country="Spain",
                timestamp=TIME,
                event_id="7-12-user5",
                schema_version=1,
            )
        )
    return values


def stream(orders: int, first: int = 0, lines: int = 2) -> list[Outgoing]:
    template = line(0)
    out = []
    for order in range(first, first + orders):
        for number in range(1, lines + 1):
            value = template.replace(b'"7-0"', b'"7-%d"' % order).replace(b'"7-0-1"', b'"7-%d-%d"' % (order, number))
            out.append(Outgoing(b"%d" % (order % 97), value, "order", order, 1995))
    return out


def faults(settings: Mapping[str, object] = {}, seed: int = 7, **more: object) -> Faults:
    return Faults(seed, FaultSettings.model_validate({**settings, **more}))


def sent(under_test: Faults, coming: list[Outgoing], batch: int = 500, rate: float = 1000.0) -> list[Outgoing]:
    """All that goes out, when `rate` events come per second; the held ones at the end."""
    out: list[Outgoing] = []
    for start in range(0, len(coming), batch):
        out += under_test.take(coming[start : start + batch], start / rate)
    return out + under_test.flush()


def ids(records: list[Outgoing], fault: str | None = None) -> list[str]:
    return [identity(r.value or b"") for r in records if fault is None or r.fault == fault]


# The catalogue


@pytest.mark.parametrize("kind", MALFORMED)
def test_every_kind_of_broken_record_is_refused_for_its_reason(kind: str) -> None:
    broken = MALFORMED[kind]
    assert broken.reason in reasons.REASONS
    assert broken.types <= events.EVENT_TYPES.keys() and broken.types
    for event_type in broken.types:
        original = own_events()[event_type]
        value = broken.make(original)
        assert value != original
        with pytest.raises(reasons.Rejected) as refused:
            events.parse(value, TIME)
        assert refused.value.reason == broken.reason, (event_type, refused.value)
        assert broken.make(original) == value
        events.parse(original, TIME)


@pytest.mark.parametrize("order", range(8))
def test_broken_copies_of_many_titles_are_refused_too(order: int) -> None:
    for kind in kinds_for("order"):
        with pytest.raises(reasons.Rejected) as refused:
            events.parse(MALFORMED[kind].make(line(order)), TIME)
        assert refused.value.reason == MALFORMED[kind].reason, kind


def test_the_catalogue_is_rich_and_covers_every_reason_that_the_reader_can_find() -> None:
    assert len(MALFORMED) >= 16
    assert {broken.reason for broken in MALFORMED.values()} == reasons.REASONS.keys() - {"refused_by_database"}
    assert len({broken.what for broken in MALFORMED.values()}) == len(MALFORMED)


def test_a_broken_record_fits_into_a_kafka_request_and_the_large_one_is_rare() -> None:
    largest = {kind: max(len(broken.make(own_events()[t]) or b"") for t in broken.types) for kind, broken in MALFORMED.items()}
    assert all(size < 1_040_000 for size in largest.values())
    assert [kind for kind, size in largest.items() if size > 200_000] == ["huge"]
    drawn = Counter(kinds_for("user_updated"))
    assert drawn["huge"] == HUGE_WEIGHT and drawn["empty"] == USUAL_WEIGHT
    assert "price_text" not in drawn and set(kinds_for("order")) == {k for k, b in MALFORMED.items() if "order" in b.types}


# Which events


def test_with_all_ratios_0_the_same_list_comes_back() -> None:
    coming = stream(5)
    under_test = faults()
    assert under_test.take(coming, 0.0) is coming
    assert under_test.held == 0 and under_test.lowest is None and under_test.flush() == [] and under_test.due(9.0) == []


@pytest.mark.parametrize("share", [0.001, 0.01, 0.25, 0.5])
def test_the_shares_of_100_000_events_are_as_asked_for(share: float) -> None:
    coming = stream(50_000)
    out = sent(faults(late=share, out_of_order=share, duplicate=share, malformed=share), coming, rate=10_000)
    count = Counter(record.fault.partition(".")[0] for record in out)
    deviation = (share * (1 - share) / len(coming)) ** 0.5
    for fault in ("late", "out_of_order", "duplicate", "malformed"):
        assert abs(count[fault] / len(coming) - share) < 4.5 * deviation, (fault, count[fault])


def test_faults_hit_independently_of_each_other() -> None:
    coming = stream(50_000)
    out = sent(faults(late=0.2, duplicate=0.2, malformed=0.2, out_of_order=0.2), coming)
    late, twice = set(ids(out, "late")), set(ids(out, "duplicate"))
    assert not late & set(ids(out, "out_of_order"))
    assert abs(len(late & twice) / len(coming) - 0.04) < 0.004


def test_the_kinds_of_broken_copies_are_drawn_by_their_weight() -> None:
    out = sent(faults(malformed=0.5), stream(20_000))
    count = Counter(record.fault.removeprefix("malformed.") for record in out if record.extra)
    drawn = Counter(kinds_for("order"))
    assert count.keys() == drawn.keys()
    for kind, weight in drawn.items():
        expected = count.total() * weight / drawn.total()
        assert abs(count[kind] - expected) < 5 * expected**0.5, kind


def test_the_stream_itself_is_the_same_whatever_the_faults() -> None:
    coming = stream(5_000)
    plain = Counter((e.key, e.value, e.kind, e.sequence, e.revenue_cents) for e in coming)
    extremes: list[dict[str, object]] = [{name: 0.5 for name in ALL_ON}, {"late": 0.5, "late_s": "1h"}]
    for settings in (ALL_ON, *extremes):
        out = sent(faults(settings), coming)
        assert Counter((e.key, e.value, e.kind, e.sequence, e.revenue_cents) for e in out if not e.extra) == plain
        assert all(e.revenue_cents == 0 for e in out if e.extra)


def test_the_same_seed_and_ratios_give_the_same_again() -> None:
    coming = stream(5_000)
    one = sent(faults(ALL_ON), coming)
    assert sent(faults(ALL_ON), coming) == one
    other = sent(faults(ALL_ON, seed=8), coming)
    assert set(ids(other, "late")) != set(ids(one, "late"))


def test_which_events_are_hit_does_not_depend_on_batches_or_on_what_came_before() -> None:
    coming = stream(3_000)
    one = Counter((r.fault, r.value) for r in sent(faults(ALL_ON), coming, batch=6_000))
    assert Counter((r.fault, r.value) for r in sent(faults(ALL_ON), coming, batch=7)) == one
    half = Counter((r.fault, r.value) for r in sent(faults(ALL_ON), coming[2_500:]))
    assert half <= one


@pytest.mark.parametrize("fault", ["late", "duplicate", "out_of_order", "malformed"])
def test_a_higher_ratio_hits_all_that_a_lower_one_hits(fault: str) -> None:
    coming = stream(5_000)

    def hits(share: float) -> Counter[tuple[str, bytes | None]]:
        out = sent(faults({fault: share}), coming)
        return Counter((r.fault, r.value) for r in out if r.fault)

    low, middle, high = hits(0.02), hits(0.1), hits(0.5)
    assert 0 < low.total() < middle.total() < high.total()
    assert low <= middle <= high


def test_another_fault_beside_it_changes_nothing_for_the_first() -> None:
    coming = stream(5_000)
    alone = sent(faults(late=0.3), coming)
    assert set(ids(sent(faults(late=0.3, out_of_order=0.5, duplicate=0.2), coming), "late")) == set(ids(alone, "late"))


# When


def test_an_out_of_order_event_is_overtaken_by_up_to_20_later_ones() -> None:
    coming = stream(5_000)
    place = {identity(e.value or b""): n for n, e in enumerate(coming)}
    out = ids(sent(faults(out_of_order=0.1), coming))
    late_by = Counter[int]()
    before = -1
    for name in out:
        if place[name] < before:
            late_by[before - place[name]] += 1
        before = max(before, place[name])
    assert max(late_by) <= MOST_OVERTAKING
    assert set(range(2, MOST_OVERTAKING + 1)) <= late_by.keys()
    assert late_by.total() > 0.9 * 0.1 * len(coming)


def test_a_late_event_waits_between_a_second_and_late_s() -> None:
    under_test = faults(late=0.5, late_s=20)
    coming = stream(1_000)
    came = {identity(e.value or b""): n * 0.01 for n, e in enumerate(coming)}
    waited = []
    for n, event in enumerate(coming):
        waited += [(r, n * 0.01) for r in under_test.take([event], n * 0.01) if r.fault == "late"]
    now = len(coming) * 0.01
    while under_test.held:
        now += 0.01
        waited += [(r, now) for r in under_test.due(now)]
    delays = [then - came[identity(r.value or b"")] for r, then in waited]
    assert len(delays) > 900
    assert 1.0 <= min(delays) < 1.2 and 19.7 < max(delays) <= 20.02
    assert all(b >= a for (_, a), (_, b) in pairwise(waited))


def test_a_late_s_below_a_second_is_kept() -> None:
    under_test = faults(late=0.5, late_s=0.2)
    under_test.take(stream(50), 100.0)
    assert under_test.held > 20
    assert not under_test.due(100.19) and under_test.due(100.2) and under_test.held == 0


def test_extras_never_precede_their_original_and_some_come_later() -> None:
    out = sent(faults(ALL_ON), stream(5_000))
    seen: dict[str, int] = {}
    gaps = Counter[bool]()
    last_of: dict[int, int] = {}
    for place, record in enumerate(out):
        if not record.extra:
            seen[identity(record.value or b"")] = place
            last_of[record.sequence] = place
        elif record.fault == "duplicate":
            gap = place - seen[identity(record.value or b"")]  # a KeyError: it came before its original
            gaps[gap <= 2] += 1
            assert gap <= 4 * MOST_OVERTAKING
        else:
            assert record.sequence in last_of
    assert gaps[True] > 300 and gaps[False] > 300


def test_duplicates_and_broken_copies_keep_the_key_and_the_order_of_their_original() -> None:
    by_order = {e.sequence: e.key for e in stream(5_000)}
    for record in sent(faults(ALL_ON), stream(5_000)):
        assert record.key == by_order[record.sequence]
        if record.fault == "duplicate":
            assert order_of(identity(record.value or b"")) == record.sequence


def test_flush_gives_what_is_held_in_the_order_of_the_stream() -> None:
    under_test = faults(late=0.5, out_of_order=0.5, duplicate=0.3)
    under_test.take(stream(1_000), 0.0)
    held, lowest = under_test.held, under_test.lowest
    rest = under_test.flush()
    assert under_test.held == 0 and under_test.lowest is None and under_test.flush() == []
    assert len(rest) >= held > 900
    assert [r.sequence for r in rest] == sorted(r.sequence for r in rest)
    own = [name for name in ids([r for r in rest if not r.extra])]
    assert own == sorted(own, key=lambda name: tuple(map(int, name.split("-"))))
    assert lowest == rest[0].sequence


def test_lowest_is_the_lowest_order_that_is_not_sent_whole() -> None:
    under_test = faults(late=0.2, out_of_order=0.2, late_s=3)
    open_: dict[int, int] = defaultdict(int)
    for n in range(400):
        coming = stream(5, first=5 * n)
        for event in coming:
            open_[event.sequence] += 1
        for record in under_test.take(coming, n * 0.05):
            open_[record.sequence] -= not record.extra
        assert under_test.lowest == min((order for order, left in open_.items() if left), default=None)


def test_what_is_held_has_an_upper_bound_and_those_due_first_go_early() -> None:
    under_test = faults(late=0.5, late_s="1d")
    out: list[Outgoing] = []
    coming = stream(40_000)
    for start in range(0, len(coming), 1_000):
        out += under_test.take(coming[start : start + 1_000], 0.0)
        assert under_test.held <= MAX_HELD
    assert under_test.held == MAX_HELD
    assert len(out) + MAX_HELD == len(coming)
    assert Counter(r.fault for r in out)["late"] > 15_000


def test_switched_off_it_lets_go_of_what_is_held_in_time() -> None:
    under_test = faults(late=0.5, late_s=30, duplicate=0.2)
    under_test.take(stream(100), 0.0)
    held = under_test.held
    assert held > 80
    under_test.settings = FaultSettings()
    more = stream(100, first=100)
    out = under_test.take(more, 10.0)
    assert [r for r in out if r in more] == more
    assert 0 < len(out) - len(more) < held
    assert all(not r.extra for r in out[-len(more) // 2 :])
    assert len(under_test.due(31.0)) > 0 and under_test.held == 0
    last = stream(1, first=200)
    assert under_test.take(last, 40.0) is last


def test_ratios_may_be_switched_in_the_middle() -> None:
    under_test = faults()
    first, second = stream(500), stream(500, first=500)
    assert under_test.take(first, 0.0) is first
    under_test.settings = FaultSettings(duplicate=0.5)
    twice = ids(under_test.take(second, 1.0) + under_test.flush(), "duplicate")
    assert len(twice) > 400
    assert sorted(twice) == sorted(ids(sent(faults(duplicate=0.5), second), "duplicate"))


def test_when_nothing_follows_an_event_is_not_kept_waiting_to_be_overtaken() -> None:
    under_test = faults(out_of_order=0.5)
    coming = stream(1, lines=20)
    out = under_test.take(coming, 5.0)
    held = under_test.held
    assert held > 0
    assert under_test.due(5.0 + STILL_S - 0.1) == []
    out += under_test.due(5.0 + STILL_S)
    assert len(out) == len(coming) and under_test.held == 0


def test_all_hit_events_parse_like_the_others() -> None:
    for record in sent(faults(ALL_ON), stream(500)):
        if record.fault.startswith("malformed."):
            with pytest.raises(reasons.Rejected) as refused:
                events.parse(record.value, TIME + timedelta(hours=1))
            assert refused.value.reason == MALFORMED[record.fault.removeprefix("malformed.")].reason
        else:
            events.parse(record.value, TIME)
