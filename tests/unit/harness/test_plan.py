"""What a round does follows from seed, number and attempt; the first rounds leave no scenario out; wrong usage is told."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from ecom_lite.contract.events import OrderLine, parse, utc_now
from ecom_lite.contract.reader import make_reader
from ecom_lite.contract.rejected import Rejected
from ecom_lite.harness.__main__ import main
from ecom_lite.harness.expect import Violation
from ecom_lite.harness.mutations import MUTATIONS, writer_class
from ecom_lite.harness.outcome import Outcome
from ecom_lite.harness.plan import KINDS, NAMES, Plan, draw_plan
from ecom_lite.harness.records import Drawn
from ecom_lite.harness.report import Summary, markdown, round_line
from ecom_lite.harness.shapes import EVENTS, FORMS, ORDERS, drawn
from ecom_lite.load.write import Writer
from ecom_lite.settings.events import Events


def facts_of(plan: Plan) -> tuple[object, ...]:
    return plan.batch_rows, plan.flush_ms, plan.session_ms, plan.refuse, tuple(plan.phases)


def test_the_same_numbers_draw_the_same_round_with_the_same_records() -> None:
    for number in (1, 20, 77):
        first, second = draw_plan(9, number), draw_plan(9, number)
        assert facts_of(first) == facts_of(second)
        assert Drawn(first.draw).portions(500, transactions=True) == Drawn(second.draw).portions(500, transactions=True)
        for form in FORMS:
            known = [drawn(form, random.Random(number), True).portions(500, transactions=True) for _ in range(2)]
            assert known[0] == known[1]
    assert facts_of(draw_plan(9, 20)) != facts_of(draw_plan(9, 20, attempt=1)), "a missed strike is drawn anew"
    assert facts_of(draw_plan(9, 20)) != facts_of(draw_plan(10, 20))


@pytest.mark.parametrize("seed", range(20))
def test_the_first_rounds_go_through_all_scenarios_and_the_later_ones_draw_them(seed: int) -> None:
    first = [phase.scenario for number in range(1, len(KINDS) + 1) for phase in draw_plan(seed, number).phases]
    assert sorted(first) == sorted(NAMES)
    later = {phase.scenario for number in range(len(KINDS) + 1, 200) for phase in draw_plan(seed, number).phases}
    assert later == set(NAMES)


def test_mapped_rounds_and_those_of_the_contract_are_mixed_alike_for_a_seed() -> None:
    forms = [draw_plan(2, number).form for number in range(1, 61)]
    assert forms == [draw_plan(2, number, attempt=1).form for number in range(1, 61)]
    assert all(13 <= forms.count(form) <= 32 for form in FORMS), Counter(forms)


def test_whole_orders_come_broken_repeated_and_longer() -> None:
    portions = drawn(ORDERS, random.Random(4), False).portions(3000, transactions=False)
    values = [record.value for portion in portions for record in portion.records if not record.own and record.value]
    orders = [json.loads(value) for value in set(values) if b'"items":[{' in value and b"event_type" not in value]
    assert len(values) - len(set(values)) > 100, "some are sent twice"
    known = Counter(order["id"] for order in orders)
    assert sum(times > 1 for times in known.values()) > 30, "some come again, longer"
    read = make_reader(Events.model_validate(EVENTS[ORDERS]))
    broken = 0
    for order in orders:
        try:
            read(json.dumps(order).encode(), utc_now())
        except Rejected:
            broken += 1
    assert broken > 30


@pytest.mark.parametrize("form", FORMS)
def test_no_key_comes_with_two_contents(form: str) -> None:
    """Which of them is the truth would depend on the order in which they are loaded."""
    read = make_reader(Events.model_validate(EVENTS[form]))
    for number in range(6):
        contents: dict[tuple[str, object], object] = {}
        for portion in drawn(form, random.Random(number), number % 2 == 0).portions(3500, transactions=True):
            for record in portion.records:
                try:
                    events = [parse(record.value, utc_now())] if record.own else read(record.value, utc_now())
                except Rejected:
                    continue
                for line in events:
                    if isinstance(line, OrderLine) and portion.transaction != "abort":
                        said = (line.quantity, line.price, line.currency, line.user_id, line.category, line.timestamp)
                        assert contents.setdefault((line.order_id, line.product_id), said) == said, line.order_id


def test_only_leaves_the_others_out() -> None:
    plans = [draw_plan(1, number, only=["cut-copy", "retention"]) for number in range(1, 40)]
    assert {phase.scenario for plan in plans for phase in plan.phases} == {"cut-copy", "retention"}
    assert not any(plan.refuse for plan in plans)


@pytest.mark.parametrize("seed", range(50))
def test_a_strike_is_drawn_where_there_is_something_left_to_load(seed: int) -> None:
    for phase in draw_plan(seed, 100).phases:
        assert 1 <= phase.nth <= 20 and phase.records <= 3_500


def test_a_repeated_line_says_the_same_as_the_first() -> None:
    seen: dict[bytes, int] = {}
    for portion in Drawn(draw_plan(3, 1).draw).portions(3000, transactions=False):
        for record in portion.records:
            if record.value:
                seen[record.value] = seen.get(record.value, 0) + 1
    assert sum(times - 1 for times in seen.values()) > 200, "there must be duplicates to count"


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_mutation_but_the_one_of_the_database_is_a_writer_of_its_own(name: str) -> None:
    assert (writer_class(name) is Writer) == (name == "no-unique-key")


def test_a_round_without_a_strike_is_not_passed_and_one_with_a_violation_is_not_ok() -> None:
    missed, wrong, good = (Outcome(draw_plan(1, number)) for number in (1, 2, 3))
    wrong.struck = good.struck = True
    wrong.violations.append(Violation("facts", "one row", "2 rows"))
    assert good.ok and not missed.ok and not wrong.ok
    assert (
        round_line(missed).endswith("NOT STRUCK") and round_line(wrong).endswith("VIOLATION") and round_line(good).endswith("ok")
    )
    assert not Summary(1, "", [good, missed]).ok and Summary(1, "", [good]).ok and not Summary(1, "").ok
    assert Summary(1, "", [good]).heir == ""
    good.inherited_s, missed.inherited_s = 10.02, 9.0
    summary = Summary(1, "python -m ecom_lite.harness", [good, missed, wrong])
    assert "within 10.0 s (worst of 2)" in summary.heir and summary.as_json()["heir_s"] == 10.02
    assert "within 10.0 s (worst of 2)" in markdown(summary, [])
    assert summary.as_json()["missed"] == [1] and summary.as_json()["violations"] == 1
    assert "expected one row; found 2 rows" in markdown(summary, ["Kafka 4.3.1"])


@pytest.mark.parametrize(
    "arguments",
    [["--rounds", "0"], ["--rounds", "x"], ["--only", "rain"], ["--mutate", "x"], ["--mutate", "no-compare", "--mutations"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and arguments[0] in capsys.readouterr().err


def test_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in NAMES)
