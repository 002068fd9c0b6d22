"""What a round of the producer does follows from seed, number and attempt; the first rounds leave no scenario out."""

from __future__ import annotations

from collections import Counter

import pytest

from ecom_lite.harness.__main__ import main
from ecom_lite.harness.mutations import MUTATIONS
from ecom_lite.harness.outcome import Outcome
from ecom_lite.harness.plan import NAMES
from ecom_lite.harness.producer_mutations import PRODUCER_MUTATIONS, client_class, recovery, sender_class
from ecom_lite.harness.producer_plan import PRODUCER_KINDS, PRODUCER_NAMES, draw_producer_plan
from ecom_lite.harness.report import Summary, markdown, round_line
from ecom_lite.produce.recover import recover
from ecom_lite.produce.sender import Sender
from ecom_lite.topic.batch_producer import SoleProducer


def test_the_same_numbers_draw_the_same_round() -> None:
    for number in (1, 20, 77):
        assert draw_producer_plan(9, number) == draw_producer_plan(9, number)
    assert draw_producer_plan(9, 20) != draw_producer_plan(9, 20, attempt=1), "a missed strike is drawn anew"
    assert draw_producer_plan(9, 20).phases != draw_producer_plan(10, 20).phases


@pytest.mark.parametrize("seed", range(20))
def test_the_first_rounds_go_through_all_scenarios_and_the_later_ones_draw_them(seed: int) -> None:
    first = [phase.scenario for number in range(1, len(PRODUCER_KINDS) + 1) for phase in draw_producer_plan(seed, number).phases]
    assert sorted(first) == sorted(PRODUCER_NAMES)
    later = [draw_producer_plan(seed, number) for number in range(len(PRODUCER_KINDS) + 1, 200)]
    assert {phase.scenario for plan in later for phase in plan.phases} == set(PRODUCER_NAMES)
    assert {len(plan.phases) for plan in later} == {1, 2, 3}
    assert {plan.form for plan in later} == {"faults", "plain"} and {plan.rate == "max" for plan in later} == {True, False}


@pytest.mark.parametrize("seed", range(50))
def test_a_strike_is_drawn_at_a_point_of_its_scenario_and_where_there_is_something_left_to_send(seed: int) -> None:
    plan = draw_producer_plan(seed, 100)
    points = {kind.name: kind.points for kind in PRODUCER_KINDS}
    for phase in plan.phases:
        assert phase.point in points[phase.scenario] and phase.nth >= 1 and 0 < phase.share < 1
    assert 2_000 <= plan.last_events + sum(phase.events for phase in plan.phases) <= 20_000


def test_only_leaves_the_others_out() -> None:
    plans = [draw_producer_plan(1, number, only=["late-request", "lost-answer"]) for number in range(1, 40)]
    drawn = Counter(phase.scenario for plan in plans for phase in plan.phases)
    assert set(drawn) == {"late-request", "lost-answer"}


@pytest.mark.parametrize("name", PRODUCER_MUTATIONS)
def test_each_mutation_of_the_producer_breaks_one_part_of_it(name: str) -> None:
    whole = (Sender, SoleProducer, recover)
    assert (sender_class(None), client_class(None), recovery(None)) == whole
    broken = (sender_class(name), client_class(name), recovery(name))
    assert [part is not other for part, other in zip(broken, whole, strict=True)].count(True) == 1


def test_a_round_of_the_producer_is_told_and_counted_like_one_of_the_loader() -> None:
    plan = draw_producer_plan(1, 1)
    good = Outcome(plan, struck=True, records=7)
    assert plan.scenarios in round_line(good) and str(plan.phases[0]) in round_line(good) and round_line(good).endswith("ok")
    summary = Summary(1, "", [good])
    assert summary.ok and summary.scenarios()[plan.scenarios]["records"] == 7 and summary.forms == {}
    assert f"| {plan.scenarios} |" in markdown(summary, []) and "Foreign" not in markdown(summary, [])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--only", "late-request"],
        ["--mutate", "no-take-over"],
        ["--producer", "--only", NAMES[0]],
        ["--producer", "--mutate", MUTATIONS[0]],
    ],
)
def test_what_is_of_the_loader_is_not_of_the_producer(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and arguments[-1] in capsys.readouterr().err


def test_list_names_the_producers_scenarios_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in (*NAMES, *PRODUCER_NAMES))
