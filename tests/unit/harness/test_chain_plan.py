"""What a round of the whole chain does follows from seed and number; the first ones leave no scenario out; rounds can be kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.harness.__main__ import main
from ecom_lite.harness.chain_mutations import END, MODEL, forgetful_project
from ecom_lite.harness.chain_plan import CHAIN_KINDS, CHAIN_NAMES, ENDS_THE_RUN, LEG, SPARK, draw_chain_plan, draw_shop
from ecom_lite.harness.expect import Violation
from ecom_lite.harness.kept import keep, read_kept
from ecom_lite.harness.outcome import Outcome
from ecom_lite.harness.report import Summary, markdown
from ecom_lite.settings.bundled import bundled

SEEDS = range(20)


def test_the_same_numbers_draw_the_same_round() -> None:
    for number in (1, 20, 77):
        assert draw_chain_plan(9, number) == draw_chain_plan(9, number)
    assert draw_chain_plan(9, 20) != draw_chain_plan(9, 20, attempt=1), "a missed strike is drawn anew"
    assert draw_shop(9, 1) == draw_shop(9, 1) != draw_shop(9, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_rounds_go_through_all_scenarios_and_many_have_two_at_once(seed: int) -> None:
    first = [draw_chain_plan(seed, number) for number in range(1, len(CHAIN_KINDS) + 1)]
    assert {phase.scenario for plan in first for phase in plan.phases} == set(CHAIN_NAMES)
    later = [draw_chain_plan(seed, number) for number in range(len(CHAIN_KINDS) + 1, 200)]
    assert {phase.scenario for plan in later for phase in plan.phases} == set(CHAIN_NAMES)
    assert {len(plan.phases) for plan in later} == {1, 2}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_end_of_the_run_is_the_last_strike_and_the_jvm_is_struck_where_there_is_one(seed: int) -> None:
    points = {kind.name: kind.points for kind in CHAIN_KINDS}
    for number in range(1, 200):
        plan = draw_chain_plan(seed, number)
        assert not any(phase.scenario in ENDS_THE_RUN for phase in plan.phases[:-1])
        assert all(phase.point in points[phase.scenario] for phase in plan.phases)
        assert plan.mode == SPARK or "-spark" not in plan.scenarios
        assert plan.leg == (number - 1) // LEG


def test_a_mart_that_forgets_differs_from_ours_in_one_model(tmp_path: Path) -> None:
    project, ours = forgetful_project(tmp_path), bundled("dbt_project")
    names = [path.relative_to(ours) for path in ours.rglob("*.sql")]
    assert [str(name) for name in names if (project / name).read_text() != (ours / name).read_text()] == [MODEL]
    assert (project / MODEL).read_text().startswith((ours / MODEL).read_text().removesuffix(END))


def test_rounds_that_were_played_in_pieces_are_told_of_as_one(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "rounds.jsonl"
    wrong = Outcome(draw_chain_plan(4, 2), struck=True, violations=[Violation("marts", "one", "two")], records=7)
    again = Outcome(draw_chain_plan(4, 2), struck=True, records=9, restarts=1, seconds=3.0)
    other = Outcome(draw_chain_plan(5, 1), struck=True, violations=[Violation("lake", "one", "two")])
    for seed, outcome in ((4, wrong), (4, Outcome(draw_chain_plan(4, 3), struck=True, records=1)), (5, other), (4, again)):
        keep(file, seed, outcome)
    summary = Summary(4, "harness", read_kept(file, 4))
    assert summary.ok and summary.totals() == {"rounds": 2, "strikes": 2, "restarts": 1, "records": 10, "violations": 0}
    assert "every one struck" in markdown(summary, []) and sum(summary.modes.values()) == 2
    assert not Summary(5, "harness", read_kept(file, 5)).ok and read_kept(tmp_path / "none", 4) == []


def test_two_targets_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--chain", "--producer"])
    assert ended.value.code == 2 and "not allowed with" in capsys.readouterr().err
