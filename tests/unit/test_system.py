"""What a system lacks has another way; and nothing but the one module asks which system this is."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from ecom_lite import system
from ecom_lite.engines.child import Child
from tests.runs import wait_for

HOUSE = Path(__file__).parents[2] / "ecom_lite"
ONLY_SOME = {"fcntl", "pwd", "grp", "resource", "ctypes", "setpriority", "getpriority", "nice", "geteuid", "setuid", "setgid"}
ONLY_SOME |= {"AF_UNIX", "prctl", "fork", "getpwnam", "flock"}
ALLOWED = {
    "system.py": ONLY_SOME,
    "engines/launch.py": ONLY_SOME,  # the child's half of it: a script that can import nothing
    "archive/arrow.py": {"ctypes"},  # Arrow's structs, the same on every system
    "testing/lease.py": {"AF_UNIX"},  # Linux and macOS have it; its address is system.socket_address
}


@pytest.fixture(params=["as it is", "bare"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(system.BARE, "1" if request.param == "bare" else "0")
    return str(request.param)


def names(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/proc/"):
            found.add("/proc/")
    return found


def test_one_module_knows_what_only_some_systems_have() -> None:
    """The harness is not in it: it stops processes and turns clocks on purpose, and is for Linux."""
    found = {}
    for file in HOUSE.rglob("*.py"):
        name = file.relative_to(HOUSE).as_posix()
        used = (names(file) & (ONLY_SOME | {"/proc/"})) - ALLOWED.get(name, set())
        if used and not name.startswith(("harness/", "system.py")):
            found[name] = used
    assert found == {}


def test_a_watcher_ends_with_its_child_and_keeps_no_pipe_of_it_open(tmp_path: Path, way: str) -> None:
    child = Child("x", ["cat"], log=tmp_path / "log", stdin_pipe=True, stdout="pipe")
    before = {process.pid for process in psutil.process_iter()}
    child.start()
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(b"there\n")
    child.stdin.flush()
    assert child.stdout.readline() == b"there\n"
    mine = [each for each in psutil.process_iter(["cmdline"]) if "launch.py" in " ".join(each.info["cmdline"] or ())]
    watchers = [each for each in mine if each.pid not in before and f" {os.getpid()} " in " ".join(each.info["cmdline"])]
    assert len(watchers) == (1 if way == "bare" else 0)
    assert all(os.getsid(each.pid) not in (child.pid, os.getsid(0)) for each in watchers)
    child.stdin.close()
    assert child.stdout.read() == b""  # its end comes with the child's
    assert child.wait(60) == 0
    wait_for(lambda: not any(each.is_running() for each in watchers), "the watcher is gone")
    child.stop()


def test_a_forked_process_keeps_no_child_of_its_parent_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(system.BARE, "1")
    code = f"""
import os, time
from pathlib import Path
from ecom_lite.engines.child import Child
child = Child("x", ["sleep", "60"], log=Path({str(tmp_path)!r}) / "log")
child.start()
if os.fork() == 0:
    time.sleep(60)
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=HOUSE.parent) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        forked = [each for each in psutil.Process(parent.pid).children() if each != child]
        parent.kill()
        wait_for(lambda: not child.is_running(), "the child is gone")
        assert [each.is_running() for each in forked] == [True]
        forked[0].kill()


def test_files_are_kept_in_memory_where_there_is_room_and_nobody_says_otherwise(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    free = os.statvfs_result((4096, 4096, 100, 100, 100, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: free)
    monkeypatch.setattr(os, "access", lambda path, mode: True)
    there = None if way == "bare" else Path("/dev/shm")
    assert (system.memory_folder(), system.memory_folder(400_000), system.memory_folder(410_000)) == (there, there, None)
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    assert system.memory_folder() is None


@pytest.mark.parametrize("lacks", ["the folder", "the right to write", "the right to load programs"])
def test_without_a_folder_of_use_no_files_are_kept_in_memory(lacks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def statvfs(path: Path) -> os.statvfs_result:
        if lacks == "the folder":
            raise FileNotFoundError(path)
        return os.statvfs_result((4096, 4096, 100, 100, 100, 0, 0, 0, os.ST_NOEXEC, 255))

    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(os, "statvfs", statvfs)
    monkeypatch.setattr(os, "access", lambda path, mode: lacks != "the right to write")
    assert system.memory_folder() is None


def test_a_lock_has_one_holder_or_several_who_share_it(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as one, (tmp_path / "lock").open("w") as other:
        assert system.lock(one, shared=True) and system.lock(other, shared=True, wait=False)
        assert not system.lock(other, wait=False)
        one.close()
        assert system.lock(other, wait=False)


@pytest.mark.skipif(not system.is_root(), reason="only root changes the account")
def test_a_server_of_roots_runs_as_an_account_without_rights(way: str) -> None:
    account = system.account_for(system.NOBODY)
    assert account is not None and account.uid > 0
    assert (account.name == system.NOBODY) == (way != "bare")


def test_a_thread_steps_back_where_a_thread_can(way: str) -> None:
    def work() -> None:
        system.step_back(3)
        priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    priorities: list[int] = []
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert priorities == [3 if system.is_linux() else usual]
    assert bool(system.at_lowest_priority()) == system.is_linux()
    assert os.getpriority(os.PRIO_PROCESS, 0) == usual


def test_a_socket_in_a_folder_with_a_long_name_is_reached(tmp_path: Path, way: str) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as link:
        with system.socket_address(folder, "s") as address:
            listener.bind(address)
        listener.listen()
        assert (folder / "s").is_socket()
        with system.socket_address(folder, "s") as address:
            link.connect(address)
    assert not Path(address).parent.exists() or way != "bare"


def test_memory_and_processor_are_told_as_far_as_they_are_known(way: str) -> None:
    proportional = system.proportional_bytes(os.getpid())
    assert (proportional is not None and proportional > 1_000_000) == system.is_linux()
    assert system.processor()
