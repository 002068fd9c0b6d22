"""Whole sessions with the plugin: workers share one set of engines, and nothing is left behind, however a session ends."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from ecom_lite.system import memory_folder
from tests.acceptance.testing_sessions import GONE_S, SESSION_S, Project, family, keepers, named
from tests.runs import wait_for, wait_until_gone

PATIENT = 'ecom_lite_timeout = "120"'
LINE = """
import json, os, signal, time
from pathlib import Path

OUT = Path(os.environ["OUT"])

def line(number, **fields):
    return {"order_id": f"A-{number}", "user_id": 42, "product_id": 7, "product_title": "Cups", "category": "Kitchen",
            "price": 24.5, "quantity": 2, "revenue": 49.0, "timestamp": "2026-01-02T03:04:05Z"} | fields
"""
SHARED = f"""{LINE}
import pytest

@pytest.mark.parametrize("number", range(6))
def test_one(number, ecom_lite_topic, worker_id):
    ecom_lite_topic.send([line(number)])
    ecom_lite_topic.assert_facts(1, order_id=f"A-{{number}}")
    (OUT / f"{{number}}.json").write_text(json.dumps([worker_id, ecom_lite_topic.bootstrap, ecom_lite_topic.topic]))
    if number == 1 and not (OUT / "killed").exists():
        (OUT / "killed").touch()
        deadline = time.monotonic() + 120  # until another worker shares the engines: alone it would take them along
        while time.monotonic() < deadline and not any(worker_id not in file.read_text() for file in OUT.glob("[0-9].json")):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
"""
STANDS = f"""{LINE}
def test_that_stands(ecom_lite_topic):
    ecom_lite_topic.send([line(1)])
    ecom_lite_topic.assert_facts(1)
    (OUT / "up").touch()
    signal.pause()
"""
FAILS = f"""{LINE}
import pytest

def test_facts(ecom_lite_topic):
    ecom_lite_topic.send([line(1), line(2), {{"order_id": "A-3"}}])
    ecom_lite_topic.assert_facts([line(1, quantity=3), line(4)])

def test_reason(ecom_lite_topic):
    ecom_lite_topic.send([line(1, revenue=1)])
    ecom_lite_topic.assert_dead(reason="missing_field")

@pytest.mark.ecom_lite(kafka__heap_mb=512)
def test_settings(ecom_lite_topic):
    pass
"""
STRICT = f"""{LINE}
import socket

socket.setdefaulttimeout(20)

def test_plain():
    pass

def test_facts(ecom_lite_topic):
    ecom_lite_topic.send([line(1)])
    ecom_lite_topic.assert_facts(1)
    assert ecom_lite_topic.query("SELECT count(*) FROM warehouse.dim_product WHERE product_title LIKE 'Cup%'") == [(1,)]
    ecom_lite_topic.assert_closes()
"""


def test_workers_share_engines_and_one_that_is_killed_ends_them_for_nobody(tmp_path: Path) -> None:
    project = Project(tmp_path, SHARED, PATIENT)
    done = project.run("-q", "-n", "2")
    assert "1 failed, 5 passed" in done.stdout or "1 failed, 6 passed" in done.stdout, done.stdout + done.stderr
    told = [json.loads((tmp_path / f"{number}.json").read_text("utf-8")) for number in range(6)]
    # Who takes the killed one's place may come when all others have ended, and their engines with them.
    first = {broker for worker, broker, _ in told if worker in ("gw0", "gw1")}
    assert len({worker for worker, *_ in told}) >= 2 and len(first) == 1
    assert len({(broker, topic) for _, broker, topic in told}) == 6
    project.wait_gone()


def test_a_killed_session_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    project = Project(tmp_path, STANDS, PATIENT)
    with project.started() as session:
        wait_for(lambda: (tmp_path / "up").exists() or session.poll() is not None, lambda: project.output, SESSION_S)
        (keeper,) = project.keepers()
        (folder,) = project.left()
        cluster = (folder / "postgres" / "cluster").resolve()
        processes = family(keeper)
        assert {"java", "postgres"} <= named(processes).keys() and cluster.is_dir()
        session.send_signal(signal.SIGKILL)
        wait_until_gone(processes)
    project.wait_gone()
    assert not cluster.exists()


def test_files_of_the_engines_are_in_memory_where_there_is_room_and_go_with_a_killed_session(tmp_path: Path) -> None:
    if (memory := memory_folder(4 << 30)) is None:
        pytest.skip("no 4 GB of /dev/shm for files in memory, or TMPDIR is set")
    project = Project(tmp_path, STANDS, PATIENT)
    del project.env["TMPDIR"]
    with project.started() as session:
        wait_for(lambda: (tmp_path / "up").exists() or session.poll() is not None, lambda: project.output, SESSION_S)
        (keeper,) = keepers(memory, session.pid)
        folder = Path(json.loads(keeper.cmdline()[-1])["folder"])
        assert folder.parent == memory and (folder / "kafka").is_dir()
        assert (folder / "postgres" / "cluster" / "PG_VERSION").is_file()
        processes = family(keeper)
        session.send_signal(signal.SIGKILL)
        wait_until_gone(processes)
    wait_for(lambda: not folder.exists(), "the folder is gone", GONE_S)


@pytest.mark.long
def test_what_a_killed_keeper_leaves_is_cleared_by_the_next_session(tmp_path: Path) -> None:
    project = Project(tmp_path, STANDS, PATIENT)
    with project.started() as session:
        wait_for(lambda: (tmp_path / "up").exists() or session.poll() is not None, lambda: project.output, SESSION_S)
        (keeper,) = project.keepers()
        processes = family(keeper)
        keeper.kill()
        wait_until_gone(processes)
    assert project.left()
    (project.folder / "test_mine.py").write_text(f"{LINE}\ndef test_up(ecom_lite_topic):\n    pass\n", "utf-8")
    assert project.run("-q").returncode == 0
    project.wait_gone()


def test_what_fails_is_said_in_words(tmp_path: Path) -> None:
    project = Project(tmp_path, FAILS, 'ecom_lite_settings = ["load.flush_ms = 20"]\necom_lite_timeout = "120"')
    said = project.run("-q", "--tb=short").stdout
    assert "2 failed" in said and "1 error" in said, said
    assert (
        "the facts are not the order lines expected; of topic events_1 became 2 facts, 0 duplicates, 0 other events, 1 dead"
        in said
    )
    for words in (
        "missing:  order_id A-4, product_id 7",
        "too many: order_id A-2, product_id 7",
        "differs:  order_id A-1, product_id 7: quantity is 2, sent was 3",
        "expected a dead letter of reason missing_field, found 0; of topic events_2 became 0 facts",
        "revenue_mismatch",
        '"order_id": "A-1"',
        "kafka.heap_mb: cannot be set for one test, only for the session (ecom_lite_settings)",
    ):
        assert words in said, (words, said)


def test_a_project_may_make_errors_of_warnings_and_limit_its_sockets(tmp_path: Path) -> None:
    project = Project(tmp_path, STRICT, f'filterwarnings = ["error"]\n{PATIENT}')
    done = project.run("-q", "-p", "no:hypothesispytest")
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    project.wait_gone()


def test_a_session_without_the_fixtures_starts_nothing_and_imports_nothing_heavy(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        "import sys\ndef test_light():\n"
        "    heavy = {'kafka', 'psycopg', 'pydantic', 'duckdb', 'dbt', 'ecom_lite.settings.load'}\n"
        "    assert 'ecom_lite.testing.plugin' in sys.modules and not heavy & set(sys.modules)\n",
    )
    done = project.run("-q", "-p", "no:hypothesispytest")
    assert done.returncode == 0, done.stdout
    assert not project.left() and not project.keepers()


def test_engines_that_cannot_start_are_said_by_each_test_and_leave_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path, "def test_one(ecom_lite_topic): pass\n", 'ecom_lite_settings = ["load.flush_ms = 0"]')
    done = project.run("-q")
    assert "ConfigError" in done.stdout and "load.flush_ms" in done.stdout, done.stdout + done.stderr
    project.wait_gone()
