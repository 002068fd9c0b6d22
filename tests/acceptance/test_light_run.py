"""One light run, used as people use it: every verb beside it, foreign producers, then the end and what stays."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from kafka import KafkaProducer

from tests.runs import COMMAND, DEADLINE_S, START_S, VERB_S, LightRun, wait_for

OWN_EVENTS = (Path(__file__).parents[2] / "docs" / "own_events.md").read_text("utf-8")
FOREIGN = 1000
RUBBISH: list[bytes] = [
    b"",
    b"not json at all",
    b"\xff\xfe\x00broken utf-8",
    b'["an", "array"]',
    b'{"order_id": "r-1", "user_id": 1, "product_id": 1}',
    b'{"order_id": "r-2", "user_id": 1, "product_id": 1, "product_title": "x", "category": "c", "price": 2.00, "quantity": 3, '
    b'"revenue": 5.99, "timestamp": "2026-01-01T00:00:00"}',
    b'{"event_type": "alien", "order_id": "r-3"}',
]


def plain_event(number: int) -> dict[str, Any]:
    """The nine fields of the contract and nothing else."""
    quantity, price = 1 + number % 5, f"{1 + number % 90}.{number % 100:02}"
    cents = quantity * round(float(price) * 100)
    return {
        "order_id": f"foreign-{number // 2}",
        "user_id": 100_000 + number % 50,
        "product_id": 500 + number % 40,
        "product_title": f"Thing {number % 40}",
        "category": "Foreign",
        "price": float(price),
        "quantity": quantity,
        "revenue": cents / 100,
        "timestamp": f"2026-01-{1 + number % 28:02}T12:00:00",
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightRun]:
    folder = tmp_path_factory.mktemp("light") / "a data folder, with spaces"
    run = LightRun(folder, "--rate", "50", "--seed", "7")
    try:
        yield run.wait_ready()
    finally:
        run.close()


def test_it_gets_ready_and_says_where_to_look(run: LightRun) -> None:
    state = run.state
    assert {"kafka", "postgres", "schema", "topics", "page", "schedule", "load", "produce"} <= set(state["parts"])
    wait_for(lambda: "ecom_lite is ready after" in run.stderr, "the banner, which comes behind the state")
    assert state["addresses"]["dashboards"] in run.stderr
    assert run.stdout == "", "stdout is for data"


def test_the_page_answers(run: LightRun) -> None:
    with urllib.request.urlopen(run.state["addresses"]["dashboards"], timeout=DEADLINE_S) as answer:
        assert answer.status == 200


def test_status(run: LightRun) -> None:
    wait_for(lambda: run.state.get("facts", 0) > 0, "first facts")

    def well() -> Any:
        said = run.verb("status")  # exits 1 while a part has just begun, or has not reported for some seconds
        return said if said.returncode == 0 else None

    said = wait_for(well, lambda: f"all parts to be well: {run.state['parts']}")
    assert "running" in said.stdout and "✔ load" in said.stdout and run.state["addresses"]["dashboards"] in said.stdout
    state = json.loads(run.verb("status", "--json").stdout)
    assert state["state"] == "running" and state["pid"] == run.process.pid
    secrets = json.loads((run.data_dir / "secrets.json").read_text())
    assert not [secret for secret in secrets.values() if secret in (run.data_dir / "state.json").read_text()]


def test_a_second_run_on_the_same_folder_is_refused(run: LightRun) -> None:
    second = LightRun(run.data_dir)
    code = second.wait()
    assert code == 2 and second.stdout == "", second.stderr
    assert f"pid {run.process.pid}" in second.stderr and "Traceback" not in second.stderr
    reset = run.verb("reset", "--yes")
    assert reset.returncode == 2 and f"pid {run.process.pid}" in reset.stderr


def test_foreign_events_load_and_exactly_the_rubbish_is_dead(run: LightRun) -> None:
    producer = KafkaProducer(bootstrap_servers=run.state["bootstrap"])
    events = [json.dumps(plain_event(number)).encode() for number in range(FOREIGN)]
    sent = []
    try:
        for number, event in enumerate(events):
            sent.append(producer.send("ecommerce_events", event))
            if number % (FOREIGN // len(RUBBISH)) == 0 and number // (FOREIGN // len(RUBBISH)) < len(RUBBISH):
                sent.append(producer.send("ecommerce_events", RUBBISH[number // (FOREIGN // len(RUBBISH))]))
        producer.flush()
        for future in sent:
            future.get(DEADLINE_S)  # says why where one was not taken
    finally:
        producer.close()
    wait_for(lambda: run.state.get("dead") == len(RUBBISH), "all rubbish is found")
    said = run.verb("check", "--json")
    counts = json.loads(said.stdout)
    assert said.returncode == 0 and counts["closes"], said.stdout
    assert counts["foreign"] == FOREIGN + len(RUBBISH) and counts["dead"] == len(RUBBISH)
    rows = run.verb("sql", "--json", "SELECT count(*) AS n FROM fact_sales WHERE order_id LIKE 'foreign-%'").stdout
    assert json.loads(rows) == {"n": FOREIGN}
    dead = run.verb("sql", "--json", "SELECT hex(value) AS value FROM ops.dead_letters").stdout.splitlines()
    assert sorted(json.loads(line)["value"] or "" for line in dead) == sorted(value.hex().upper() for value in RUBBISH)


def test_refresh_and_migrate_work_beside_it(run: LightRun) -> None:
    said = run.verb("refresh", "--json")
    result = json.loads(said.stdout)
    assert said.returncode == 0 and result["status"] == "success" and result["models"] > 0
    assert "up to date" in run.verb("migrate").stdout


def test_refresh_of_some_models_beside_it(run: LightRun) -> None:
    said = run.verb("refresh", "--select", "cohorts")
    lines = said.stdout.splitlines()
    built = {line.split()[0] for line in lines[2:-1]}
    assert said.returncode == 0 and lines[-1].startswith("dbt: selected, "), said.stderr
    assert "cohorts" in built and "basket_pairs" not in built
    told = re.findall(r"(\d+) of (\d+): ", said.stderr)
    assert told == [(str(n + 1), str(len(built))) for n in range(len(built))], said.stderr
    wrong = run.verb("refresh", "--select", "cohort")
    assert (wrong.returncode, wrong.stdout) == (2, "") and "no model 'cohort': did you mean cohorts" in wrong.stderr
    password = (run.data_dir / "postgres" / "superuser.password").read_text()
    where = run.state["postgres"]
    with psycopg.connect(
        host=where["host"], port=where["port"], user="postgres", password=password, dbname=where["database"]
    ) as admin:
        admin.execute(  # a day of its own, which no event will correct
            "INSERT INTO marts.daily_sales "
            """SELECT (jsonb_populate_record(d, '{"date": "2001-01-01", "net": -5}')).* FROM marts.daily_sales d LIMIT 1"""
        )
    failed = run.verb("refresh", "--select", "daily_sales")
    assert failed.returncode == 1 and "selected, tests failed" in failed.stdout, failed.stdout
    assert run.verb("refresh", "--full").returncode == 0


def test_the_roles_get_new_passwords_beside_it_and_its_parts_take_them_when_they_connect_anew(run: LightRun) -> None:
    file = run.data_dir / "secrets.json"
    before = json.loads(file.read_text())
    said = run.verb("migrate", "--rotate-passwords")
    assert said.returncode == 0 and "connect anew" in said.stderr, said.stderr
    assert not set(before.values()) & set(json.loads(file.read_text()).values())
    facts, password = run.state["facts"], (run.data_dir / "postgres" / "superuser.password").read_text()
    where = run.state["postgres"]
    with psycopg.connect(host=where["host"], port=where["port"], user="postgres", password=password, dbname="postgres") as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'ecom\\_%'")

    def back() -> bool:
        state = run.state
        return bool(state["facts"] > facts and all(part["ok"] for part in state["parts"].values()))

    wait_for(back, lambda: str(run.state), START_S)  # a dbt run that lost its session begins anew ten seconds later
    refreshed = run.verb("refresh")
    assert refreshed.returncode == 0, refreshed.stdout + refreshed.stderr
    panel = run.state["addresses"]["dashboards"] + "api/boards/realtime-operations/panels/1"

    def drawn() -> bool:
        with suppress(OSError), urllib.request.urlopen(panel, timeout=DEADLINE_S) as answer:  # busy, or slow
            return bool(json.loads(answer.read())["state"] != "error")
        return False

    wait_for(drawn, "the page reads again")


def test_ctrl_c_ends_a_question_that_takes_long(run: LightRun) -> None:
    endless = "SELECT count(*) FROM range(100_000_000) a, range(100_000_000) b WHERE a.range * b.range = 7"
    command = [*COMMAND, "sql", endless, "--timeout", "300", "--data-dir", str(run.data_dir)]  # not ended by its own limit
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        child = psutil.Process(process.pid)
        wait_for(lambda: child.cpu_times().user > 4, "it to be at it")  # more than the start takes
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 130 and process.communicate()[1] == ""
    finally:
        process.kill()


def test_a_loader_with_one_server_of_its_own_is_told_to_name_both(run: LightRun) -> None:
    said = subprocess.run(
        [*COMMAND, "load", "--for", "2s", "--data-dir", str(run.data_dir)], capture_output=True, text=True, timeout=VERB_S,
        env={**os.environ, "ECOM_LITE_KAFKA__BOOTSTRAP": "127.0.0.1:1"},
    )  # fmt: skip
    assert said.returncode == 2 and "kafka.bootstrap is 127.0.0.1:1, and the run in" in said.stderr
    assert "set postgres.url, too" in said.stderr


def test_sql_answers_reads_stdin_and_refuses_to_write(run: LightRun) -> None:
    table = run.verb("sql", "SELECT 1 AS one, 'x' AS letter").stdout.splitlines()
    assert table[0].split() == ["one", "letter"] and table[2].split() == ["1", "x"]
    piped = subprocess.run(
        [*COMMAND, "sql", "-", "--json", "--data-dir", str(run.data_dir)], input="SELECT 2 AS two", capture_output=True, text=True
    )
    assert json.loads(piped.stdout) == {"two": 2}
    for statement, code in (("SELECT * FROM nowhere", 1), ("DELETE FROM fact_sales", 2), ("FROM read_csv('/etc/passwd')", 2)):
        said = run.verb("sql", statement)
        assert said.returncode == code and said.stdout == "" and "Traceback" not in said.stderr and said.stderr


def test_logs_of_all_parts_and_live(run: LightRun) -> None:
    names = {line.split("|")[0].strip() for line in run.verb("logs").stdout.splitlines()}
    assert {"kafka", "postgres", "load", "supervise"} <= names
    assert "loading ecommerce_events" in run.verb("logs", "load", "-n", "1000").stdout, "though it has said more since"
    with subprocess.Popen(
        [*COMMAND, "logs", "-f", "-n", "1", "--data-dir", str(run.data_dir)], stdout=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout is not None
        try:
            assert "|" in follower.stdout.readline()
            follower.send_signal(signal.SIGINT)
            assert follower.wait(DEADLINE_S) == 130
        finally:
            follower.kill()


def test_the_producer_of_the_docs_loads(run: LightRun) -> None:
    (program,) = (block for block in re.findall(r"```python\n(.*?)```", OWN_EVENTS, re.S) if "KafkaProducer(" in block)
    program, replaced = re.subn(r"127\.0\.0\.1:\d+", run.state["bootstrap"], program)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=VERB_S)
    assert replaced == 1
    order = re.search(r'"order_id": "(.*?)"', program)
    question = f"SELECT revenue FROM fact_sales WHERE order_id = '{order and order[1]}'"
    wait_for(lambda: run.verb("sql", "--json", question).stdout, "the fact")


def test_stop_ends_it_and_the_data_stays(run: LightRun) -> None:
    run.note_processes()
    assert len(run.known) > 4
    said = run.stop()
    assert said.returncode == 0 and said.stdout == "" and f"stopped (pid {run.process.pid})" in said.stderr
    assert run.wait() == 128 + signal.SIGTERM
    run.assert_nothing_left()
    assert "stopped after" in run.stderr and "Traceback" not in run.stderr
    assert run.verb("status").returncode == 2 and run.verb("stop").returncode == 2
    said = run.verb("check", "--json")
    assert said.returncode == 0 and json.loads(said.stdout)["closes"], said.stdout + said.stderr


def test_reset_leaves_nothing(run: LightRun, tmp_path: Path) -> None:
    said = run.verb("reset", "--yes")
    assert said.returncode == 0 and "kafka" in said.stderr
    assert not run.data_dir.exists()
