"""A child starts, stops however it is asked, and never outlives us."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from ecom_lite.engines.child import Child, ChildRegistry, inherited
from ecom_lite.errors import EngineError
from ecom_lite.observe.logs import follow, sizes, tail
from ecom_lite.system import BARE
from tests.runs import wait_for

READY = "import signal, sys, time; print('ready', flush=True); time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
DEADLINE_S = 60.0


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def make(tmp_path: Path, code: str = READY, **options: object) -> Child:
    return Child("test child", [sys.executable, "-c", code], log=tmp_path / "logs" / "child.log", **options)  # type: ignore[arg-type]


def test_the_whole_life(tmp_path: Path) -> None:
    child = make(tmp_path)
    before = [child.alive, child.pid, child.returncode, child.rss_bytes()]
    assert before == [False, None, None, 0]
    assert child.stop() is True  # before start
    child.kill()
    child.start()
    wait_for(lambda: "ready" in child.log_tail(), "the child is ready")
    assert child.alive and child.rss_bytes() > 1_000_000
    assert child.pid is not None and os.getsid(child.pid) == child.pid
    with pytest.raises(EngineError, match="running already"):
        child.start()
    assert child.stop(DEADLINE_S) is True
    assert child.stop(DEADLINE_S) is True  # twice
    child.kill()
    after = [child.alive, child.pid, child.returncode]
    assert after == [False, None, -signal.SIGTERM]
    child.start()  # again
    assert child.alive
    child.kill()
    assert child.returncode == -signal.SIGKILL


def test_stop_after_a_crash_and_what_it_says(tmp_path: Path) -> None:
    child = make(tmp_path, "import sys; sys.exit('ERROR: the roof is on fire')")
    child.start()
    assert child.wait(DEADLINE_S) == 1
    assert child.stop() is True
    message = str(child.failure("starting"))
    assert "exit code 1 while starting" in message and "Cause: ERROR: the roof" in message and str(child.log) in message


def test_a_deaf_child_is_killed_after_the_grace(tmp_path: Path) -> None:
    child = make(tmp_path, DEAF)
    child.start()
    wait_for(lambda: "ready" in child.log_tail(), "the child is ready")
    assert child.stop(0.05) is False
    assert child.returncode == -signal.SIGKILL


def test_stop_from_several_threads(tmp_path: Path) -> None:
    child = make(tmp_path)
    child.start()
    threads = [threading.Thread(target=child.stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert not child.alive


def test_pipes_environment_and_folder(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['WORD'], os.getcwd(), sys.stdin.read(), flush=True); print('log', file=sys.stderr)"
    child = make(tmp_path, code, env={"WORD": "héllo"}, cwd=tmp_path, stdin_pipe=True, stdout="pipe")
    child.start()
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(b"in")
    child.stdin.close()
    assert child.stdout.read().decode() == f"héllo {tmp_path} in\n"
    assert child.wait(DEADLINE_S) == 0
    assert child.log_tail() == "log"
    child.stop()


def test_log_tail_is_of_the_last_run_and_logs_rotate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = make(tmp_path, "print('line')")
    for _ in range(2):
        child.start()
        assert child.wait(DEADLINE_S) == 0
    assert child.log_tail() == "line"
    assert [line.split()[-1] for line in child.log.read_text().splitlines()] == ["started", "line"] * 2
    monkeypatch.setattr("ecom_lite.engines.child.LIMIT_BYTES", 3)
    child.start()
    assert child.wait(DEADLINE_S) == 0
    assert child.log.read_text().count("line\n") == 1
    child.stop()


def test_programs_that_cannot_run(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="/no/such/program"):
        Child("x", ["/no/such/program"], log=tmp_path / "log").start()
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    child = Child("x", [script], log=tmp_path / "log")
    child.start()
    assert child.wait(DEADLINE_S) == 127
    assert "launcher: cannot run" in str(child.failure("starting"))
    with pytest.raises(EngineError, match="cannot start in"):
        Child("x", ["true"], log=tmp_path / "log", cwd=tmp_path / "none").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the account")
def test_another_account(tmp_path: Path) -> None:
    child = Child("x", ["id", "-u"], log=tmp_path / "log", user="nobody", cwd=Path("/"))
    child.start()
    assert child.wait(DEADLINE_S) == 0
    assert int(child.log_tail()) > 0
    with pytest.raises(EngineError, match="no such account"):
        Child("x", ["id"], log=tmp_path / "log", user="no-such-user-here").start()


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
@pytest.mark.parametrize("bare", ["0", "1"])
@pytest.mark.parametrize("user", [None, "nobody"])
def test_a_child_dies_with_a_killed_parent(tmp_path: Path, user: str | None, bare: str) -> None:
    """The thread that called start() ends first: that must not end the child."""
    code = f"""
import threading, time
from pathlib import Path
from ecom_lite.engines.child import Child
child = Child("x", ["sleep", "60"], log=Path({str(tmp_path)!r}) / "log", user={user!r}, cwd=Path("/"))
starter = threading.Thread(target=child.start)
starter.start(); starter.join()
while "sleep" not in open(f"/proc/{{child.pid}}/cmdline").read() or "launch" in open(f"/proc/{{child.pid}}/cmdline").read():
    time.sleep(0.01)
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3], env={**os.environ, BARE: bare}
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    wait_for(lambda: gone(pid), "the child is gone")


def test_the_registry_clears_what_an_earlier_run_left(tmp_path: Path) -> None:
    path = tmp_path / "data" / "children.json"
    registry = ChildRegistry(path)
    child = make(tmp_path, DEAF, registry=registry)
    child.start()
    wait_for(lambda: "ready" in child.log_tail(), "the child is ready")
    pid = child.pid
    assert [(entry["pid"], entry["name"]) for entry in registry.entries()] == [(pid, "test child")]
    assert ChildRegistry(path).cleanup() == [f"test child (pid {pid})"]
    assert child.wait(DEADLINE_S) == -signal.SIGKILL
    assert registry.entries() == []
    child.start()
    child.stop(0.05)
    assert registry.entries() == []


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1}', '[{"pid": 1}]'])
def test_a_torn_registry_counts_as_empty(tmp_path: Path, content: str) -> None:
    path = tmp_path / "children.json"
    path.write_text(content)
    assert ChildRegistry(path).cleanup() == []


def test_the_registry_spares_a_reused_pid(tmp_path: Path) -> None:
    child = make(tmp_path)
    child.start()
    path = tmp_path / "children.json"
    path.write_text(json.dumps([{"pid": child.pid, "create_time": 1.0, "name": "old"}]))
    assert ChildRegistry(path).cleanup() == []
    assert child.alive
    child.kill()


def test_a_child_that_cannot_be_recorded_does_not_run(tmp_path: Path) -> None:
    children = tmp_path / "children.json"
    children.mkdir()
    child = make(tmp_path, registry=ChildRegistry(children))
    with pytest.raises(OSError, match=r"children\.json"):
        child.start()
    assert not child.alive and child.returncode == -signal.SIGKILL
    assert child.stop() is True, "to stop it needs no file"


CHATTY = """
import sys
for number in range(40_000):
    print(f"{number:06} " + "x" * 93, file=sys.stderr, flush=True)
    if number % 400 == 0:
        sys.stdin.readline()
print("end", file=sys.stderr, flush=True)
sys.stdin.read()
"""


def test_a_log_is_kept_within_its_bound_while_the_child_writes_and_reads_on_without_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 100_000
    monkeypatch.setattr("ecom_lite.engines.child.LIMIT_BYTES", limit)
    child = make(tmp_path, CHATTY, stdin_pipe=True)
    files = {"child": child.log}
    longest, followed, steps = 0, [], iter(range(101))

    def watch(_seconds: float) -> bool:
        """The child writes 400 lines more, 40,000 bytes; then its log is looked at, as the supervisor does."""
        nonlocal longest
        step = next(steps, None)
        if step is None:
            return True
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()
        last = "end" if step >= 99 else f"{(step + 1) * 400:06}"
        wait_for(lambda: any(line.startswith(last) for line in child.log_tail(2).splitlines()), f"line {last}")
        child.bound_log()
        longest = max(longest, sum(file.stat().st_size for file in child.log.parent.iterdir()))
        return False

    child.start()
    wait_for(lambda: "000000" in child.log_tail(), "the first line")
    for _, line in follow(lambda: files, watch, sizes(files)):
        followed.append(line[:6])
    child.stop()
    assert longest <= 3 * limit, "of 4,000,000 bytes"
    assert followed == [f"{number:06}" for number in range(1, 40_000)] + ["end"]
    assert [line[:6] for _, line in tail(files, 900, sizes(files))] == [*(f"{n:06}" for n in range(39_101, 40_000)), "end"]


def test_a_child_is_given_no_setting_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_LITE_KAFKA__SASL_PASSWORD", "geheim")
    monkeypatch.setenv("ECOM_LITE_HARNESS_CLOCK", "kept")
    monkeypatch.setenv("PGPASSWORD", "geheim")
    child = make(tmp_path, "import os; print(sorted(name for name in os.environ if name.startswith(('ECOM_LITE_', 'PGP'))))")
    child.start()
    assert child.wait(DEADLINE_S) == 0
    assert child.log_tail(1) == "['ECOM_LITE_HARNESS_CLOCK', 'PGPASSWORD']"
    assert "PGPASSWORD" not in inherited("PG")
