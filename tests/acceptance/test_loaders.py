"""Several loaders: in one run, beside a run, and alone against servers of another machine; when one dies the others go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.load.loader import SESSION_TIMEOUT_MS
from tests.integration.loading import Bench, line
from tests.runs import COMMAND, START_S, VERB_S, LightRun, partitions_of, wait_for

TAKES_OVER_S = SESSION_TIMEOUT_MS / 1000 + 60
ENDS_S = 120.0  # its start, too, where it is to end at once; and half a minute to drain


class LoadVerb:
    """`ecom_lite load` as a child of the test."""

    def __init__(self, data_dir: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.said = data_dir.parent / f"{data_dir.name} {time.monotonic_ns()}.err"
        with self.said.open("wb") as err:
            self.process = subprocess.Popen(
                [*COMMAND, "load", "--data-dir", str(data_dir), "--json", *options],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, env={**os.environ, **(env or {})}, text=True,
            )  # fmt: skip

    def wait_ready(self) -> LoadVerb:
        def ready() -> bool:
            assert self.process.poll() is None, self.said.read_text()
            return "is ready after" in self.said.read_text()

        wait_for(ready, lambda: f"the loaders of {self.data_dir}: {self.said.read_text()}", START_S)
        return self

    def pids(self) -> dict[str, int]:
        entries = json.loads((self.data_dir / "loaders" / "children.json").read_text())
        return {entry["name"]: entry["pid"] for entry in entries}

    def end(self, number: signal.Signals) -> tuple[int, dict[str, Any]]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=ENDS_S)
        assert not [child for child in children if child.is_running()], "it left processes behind"
        return self.process.returncode, json.loads(out)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def test_two_loaders_share_a_run_and_a_third_joins_it(tmp_path: Path) -> None:
    run = LightRun(tmp_path / "data", "--rate", "200", env={"ECOM_LITE_LOAD__PROCESSES": "2"})
    verb = None
    try:
        run.wait_ready()
        logs = run.data_dir / "logs"

        def shared() -> bool:
            one, two = partitions_of(logs / "load.log"), partitions_of(logs / "load-2.log")
            return one | two == {0, 1, 2, 3} and len(one) == len(two) == 2

        wait_for(shared, "two partitions each")
        assert {"load", "load-2"} <= set(run.state["parts"])
        lines = run.verb("logs", "load").stdout.splitlines()
        assert {entry.split("|")[0].strip() for entry in lines} == {"load", "load-2"}
        os.kill(run.note_processes()["load-2"], signal.SIGKILL)
        wait_for(lambda: run.state["parts"]["load-2"]["restarts"] == 1, "load-2 is back")
        verb = LoadVerb(run.data_dir).wait_ready()
        joined = run.data_dir / "loaders" / "logs" / "load.log"
        wait_for(lambda: partitions_of(joined), "a share of the third")
        said = run.verb("check", "--json")
        assert said.returncode == 0 and json.loads(said.stdout)["closes"], said.stdout + said.stderr
        code, summary = verb.end(signal.SIGINT)
        assert (code, summary["processes"]) == (130, 1) and summary["facts"] > 0
        assert run.stop().returncode == 0
        run.assert_nothing_left()
    finally:
        if verb is not None:
            verb.close()
        run.close()


@pytest.fixture(scope="module")
def elsewhere(session_dir: Path) -> Iterator[PostgresServer]:
    """A server that is nobody's yet: the roles' passwords on the other one are those of the tests."""
    server = PostgresServer(session_dir / "postgres elsewhere", session_dir / "logs elsewhere")
    server.start()
    yield server
    server.stop()
    server.remove()


def test_loaders_alone_on_two_machines_load_everything_though_one_is_killed(
    kafka_bootstrap: str, topic: str, elsewhere: PostgresServer, tmp_path: Path
) -> None:
    url = f"postgresql://postgres:{elsewhere.superuser_password}@{elsewhere.host}:{elsewhere.port}/shop"
    env = {
        "ECOM_LITE_KAFKA__BOOTSTRAP": kafka_bootstrap, "ECOM_LITE_KAFKA__TOPIC": topic, "ECOM_LITE_POSTGRES__URL": url,
        "ECOM_LITE_POSTGRES__PASSWORDS_FILE": str(tmp_path / "roles.json"),  # as if copied from one machine to the other
    }  # fmt: skip
    folders = [tmp_path / "machine a", tmp_path / "machine b"]

    def verb(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *arguments, "--data-dir", str(folders[0])]
        return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=VERB_S)

    said = verb("load")
    assert said.returncode == 1 and "ecom_lite migrate" in said.stderr and "(SQLSTATE 28P01)" in said.stderr
    assert verb("migrate").returncode == 0
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE TEMP TABLE kept AS SELECT * FROM ecom_lite_migrations WHERE number > 1")
        admin.execute("DELETE FROM ecom_lite_migrations WHERE number > 1")
        said = verb("load")
        assert said.returncode == 1 and "is older than this version, it lacks 0002" in said.stderr
        admin.execute("INSERT INTO ecom_lite_migrations SELECT * FROM kept")
        admin.execute("INSERT INTO ecom_lite_migrations (number, name, checksum) VALUES (9999, '9999_later.sql', '')")
        said = verb("load")
        assert said.returncode == 1 and "newer than this version, it has 9999_later.sql" in said.stderr
        admin.execute("DELETE FROM ecom_lite_migrations WHERE number = 9999")

        def facts() -> int:
            row = admin.execute("SELECT coalesce(sum(facts), 0)::int, (SELECT count(*) FROM warehouse.fact_sales)"
                                " FROM ops.consumer_offsets").fetchone()  # fmt: skip
            assert row is not None and row[0] == row[1]
            return int(row[0])

        # The address of the bench is not used: it only sends.
        bench = Bench(kafka_bootstrap, topic, None)  # type: ignore[arg-type]
        a, b = LoadVerb(folders[0], "--processes", "2", env=env), LoadVerb(folders[1], env=env)
        try:
            a.wait_ready(), b.wait_ready()
            logs = [
                folders[0] / "loaders/logs/load.log",
                folders[0] / "loaders/logs/load-2.log",
                folders[1] / "loaders/logs/load.log",
            ]
            wait_for(
                lambda: sum(len(partitions_of(log)) for log in logs) == 4 and all(map(partitions_of, logs)),
                "a share each",
                START_S,
            )
            send(bench, 0, 2000)
            wait_for(lambda: facts() == 2000, "the first records")
            os.kill(a.pids()["load-2"], signal.SIGKILL)
            send(bench, 2000, 4000)
            wait_for(lambda: facts() == 4000, "those sent while one was dead", TAKES_OVER_S)
            wait_for(lambda: "load-2 died and is started again" in a.said.read_text(), "the word of it")
            a.process.kill()  # the whole machine: the other one takes all over
            a.process.wait()
            send(bench, 4000, 6000)
            wait_for(lambda: facts() == 6000, "those that only the other machine can load", TAKES_OVER_S)
            code, summary = b.end(signal.SIGTERM)
            assert (code, summary["processes"], summary["restarts"]) == (143, 1, {})
            assert 2000 / 3 < summary["facts"] <= 6000 and summary["dead"] == summary["duplicates"] == 0
        finally:
            a.close()
            b.close()


def test_a_loader_waits_for_a_database_that_is_away_at_the_start(tmp_path: Path) -> None:
    env = {"ECOM_LITE_KAFKA__BOOTSTRAP": "127.0.0.1:1", "ECOM_LITE_POSTGRES__URL": "postgresql://postgres:x@127.0.0.1:1/shop"}
    verb = LoadVerb(tmp_path / "data", env=env)
    try:
        wait_for(lambda: "PostgreSQL is away, waiting" in verb.said.read_text(), "the word")
        second = LoadVerb(tmp_path / "data", env=env)
        try:
            second.process.communicate(timeout=ENDS_S)
        finally:
            second.close()
        assert second.process.returncode == 2 and f"`ecom_lite load`, pid {verb.process.pid}" in second.said.read_text()
        assert verb.end(signal.SIGINT) == (130, {})
        assert verb.said.read_text().count("is away") == 1
    finally:
        verb.close()


def test_the_time_that_was_given_also_ends_the_waiting_for_servers_that_are_away(tmp_path: Path) -> None:
    env = {"ECOM_LITE_KAFKA__BOOTSTRAP": "127.0.0.1:1", "ECOM_LITE_POSTGRES__URL": "postgresql://postgres:x@127.0.0.1:1/shop"}
    verb = LoadVerb(tmp_path / "data", "--for", "2s", env=env)
    try:
        verb.process.communicate(timeout=ENDS_S)
        assert verb.process.returncode == 1
        assert "nothing was loaded: PostgreSQL did not answer within the 2 s of --for" in verb.said.read_text()
    finally:
        verb.close()


def send(bench: Bench, first: int, end: int) -> None:
    for partition in range(4):
        bench.send([line(order) for order in range(first, end) if order % 4 == partition], partition=partition)
