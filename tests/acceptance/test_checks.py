"""`ecom_lite check` as people use it: named checks beside a live run, the user's own among them, and by programs."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.runs import COMMAND, DEADLINE_S, LightRun, wait_for

ROUNDS = 200
EVENTS_PER_S = 2_000
GOOD = "-- description: There is a shop.\nSELECT count(*) AS left, 1 AS right FROM ops.shops"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "checks"
    folder.mkdir()
    (folder / "one_shop.sql").write_text(GOOD)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[LightRun]:
    env = {"ECOM_LITE_CHECK__FOLDER": str(folder), "ECOM_LITE_CHECK__EVERY_S": "1"}
    run = LightRun(tmp_path_factory.mktemp("checks") / "data", "--rate", "50", env=env)
    try:
        run.wait_ready()
        wait_for(lambda: run.state.get("facts", 0) > 100, "facts")
        yield run
    finally:
        run.close()


def test_only_some_of_them(run: LightRun) -> None:
    said = run.verb("check", "--only", "count, one_shop", "--json")
    told = json.loads(said.stdout)
    assert said.returncode == 0 and told["closes"] and told["facts"] > 100, said.stdout + said.stderr
    assert [(check["name"], check["state"]) for check in told["checks"]] == [("count", "pass"), ("one_shop", "pass")]
    assert all(0 < check["seconds"] < 60 for check in told["checks"]) and "the count closes" in said.stderr
    table = run.verb("check", "--only", "references,one_shop")
    assert table.returncode == 0 and "2 checks pass" in table.stderr
    assert table.stdout.splitlines()[0].split() == ["check", "line", "left", "right", "remark"]


def test_a_name_that_is_none_gets_near_names(run: LightRun) -> None:
    said = run.verb("check", "--only", "refrences")
    assert said.returncode == 2 and said.stdout == "" and "did you mean references" in said.stderr


def test_all_of_them_for_a_build_server(run: LightRun, tmp_path: Path) -> None:
    said = run.verb("check", "--junit", str(tmp_path / "checks.xml"))
    assert said.returncode == 0, said.stdout + said.stderr
    assert "dbt has built the marts" in said.stdout, "a check that has no figures to show says what it proves"
    (suite,) = ElementTree.parse(tmp_path / "checks.xml").getroot()
    names = [case.get("name") for case in suite]
    listed = [check["name"] for check in json.loads(run.verb("check", "--list", "--json").stdout)]
    assert (
        names == listed and {"count", "marts", "one_shop"} <= set(listed) and suite.get("failures") == suite.get("errors") == "0"
    )
    said = run.verb("check", "--only", "gaps", "--junit", str(tmp_path / "no" / "folder.xml"))
    assert said.returncode == 1 and "--junit" in said.stderr and "Traceback" not in said.stderr


def test_a_run_takes_the_own_ones_again_and_again(run: LightRun, folder: Path) -> None:
    wait_for(lambda: run.state["checks"].get("one_shop", {}).get("state") == "pass", "the run has taken it")
    (folder / "two_shops.sql").write_text("-- severity: warning\nSELECT count(*) AS left, 2 AS right FROM ops.shops")
    try:
        wait_for(lambda: run.state["checks"].get("two_shops", {}).get("state") == "fail", "a new file is taken, too")
        wanted = {
            'ecom_lite_check_ok{check="one_shop",severity="error"} 1.0',
            'ecom_lite_check_ok{check="two_shops",severity="warning"} 0.0',
        }

        def metrics() -> set[str]:
            with urllib.request.urlopen(run.state["addresses"]["dashboards"] + "metrics", timeout=DEADLINE_S) as answer:
                return {line for line in answer.read().decode().splitlines() if line.startswith("ecom_lite_check_ok")}

        # One that a machine which stands still does not answer in time is an error until it is taken again, a second later.
        wait_for(lambda: wanted <= metrics(), lambda: f"{wanted}, not {metrics()}")
        assert run.verb("check", "--only", "two_shops").returncode == 0, "a warning fails nothing"
    finally:
        (folder / "two_shops.sql").unlink()


def test_an_own_check_that_fails_or_cannot_run_fails_the_command(run: LightRun, folder: Path) -> None:
    try:
        (folder / "no_sales.sql").write_text("-- left: sales\nSELECT order_id FROM warehouse.fact_sales")
        (folder / "wrong.sql").write_text("-- description: Wrong.\nSELECT order_idd FROM warehouse.fact_sales")
        failing, wrong = run.verb("check", "--only", "no_sales"), run.verb("check", "--only", "wrong,one_shop", "--json")
        assert failing.returncode == 1 and failing.stdout.splitlines()[2].startswith("OPEN  no_sales")
        assert "check no_sales fails: sales: " in failing.stderr and "Traceback" not in failing.stderr
        assert wrong.returncode == 1 and "Traceback" not in wrong.stderr
        assert f'{folder / "wrong.sql"}, line 2: column "order_idd" does not exist' in wrong.stderr
        assert {check["name"]: check["state"] for check in json.loads(wrong.stdout)["checks"]} == {
            "one_shop": "pass", "wrong": "error"
        }  # fmt: skip
    finally:
        for name in ("no_sales", "wrong"):
            (folder / f"{name}.sql").unlink(missing_ok=True)


def test_again_and_again_until_ctrl_c(run: LightRun) -> None:
    command = [*COMMAND, "check", "--watch", "0.2", "--only", "count,one_shop", "--json", "--data-dir", str(run.data_dir)]
    with subprocess.Popen(command, env=run.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None and watching.stderr is not None
        lines = watching.stdout
        told: list[dict[str, Any]] = []

        def grown() -> bool:
            told.append(json.loads(lines.readline()))
            return len(told) > 2 and told[-1]["facts"] > told[0]["facts"]

        try:
            wait_for(grown, lambda: f"facts that come between two checks: {[one['facts'] for one in told]}")
            watching.send_signal(signal.SIGINT)
            assert watching.wait(DEADLINE_S) == 130
        finally:
            watching.kill()
        said = watching.stderr.read()
    assert all(one["closes"] for one in told)
    assert said.count("the count closes") >= 2 and "Traceback" not in said


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_no_false_alarm_in_two_hundred_checks_under_load(tmp_path: Path) -> None:
    run = LightRun(tmp_path / "data", "--rate", str(EVENTS_PER_S * 6 // 10))  # an order has two lines or so
    try:
        run.wait_ready()
        wait_for(lambda: run.state.get("sent_per_s", 0) > EVENTS_PER_S, lambda: f"the pace: {run.state.get('sent_per_s')}")
        began, sent = run.state["uptime_s"], run.state["sent"]
        command = [*COMMAND, "check", "--watch", "0.1", "--json", "--data-dir", str(run.data_dir)]
        with subprocess.Popen(command, env=run.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            try:
                for number in range(ROUNDS):
                    told = json.loads(watching.stdout.readline())
                    failing = [check for check in told["checks"] if check["state"] not in ("pass", "skipped")]
                    assert told["closes"] and failing == [], (number, failing)
            finally:
                watching.kill()
                watching.communicate()
        seconds = run.state["uptime_s"] - began
        pace = (run.state["sent"] - sent) / seconds
        assert pace > EVENTS_PER_S, f"{pace:.0f} events/s: the load was too small to prove anything"
        print(f"{ROUNDS} checks in {seconds} s at {pace:.0f} events/s, {run.state['facts']:,} facts at the end")
    finally:
        run.close()
