"""One run per data folder: who holds it is known, and the lock dies with its process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ecom_lite.errors import AlreadyRunning, EcomLiteError
from ecom_lite.live.lock import HOLDER_S, RunLock, holder
from ecom_lite.settings.data_dir import LOCK
from ecom_lite.system import lock

HOLD = """
import sys
from pathlib import Path
from ecom_lite.live.lock import RunLock
with RunLock(Path(sys.argv[1]), "run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with RunLock(tmp_path, "run"):
        assert holder(tmp_path) == {"pid": os.getpid(), "purpose": "run"}
        with pytest.raises(AlreadyRunning) as caught:
            RunLock(tmp_path, "check").acquire()
    message = str(caught.value)
    assert (
        f"pid {os.getpid()}" in message
        and "ecom_lite run" in message
        and "ecom_lite stop" in message
        and str(tmp_path) in message
    )
    assert caught.value.exit_code == 2
    assert holder(tmp_path) is None


def test_it_is_free_after_release_twice(tmp_path: Path) -> None:
    lock = RunLock(tmp_path / "new folder", "run")
    lock.acquire()
    lock.release()
    lock.release()
    with RunLock(tmp_path / "new folder", "run"):
        pass


def test_who_only_looks_is_not_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`status` takes the lock shared for a moment: a run that starts just then must not be refused."""
    monkeypatch.setattr("ecom_lite.live.lock.LOOKERS_S", 60)  # three who never rest
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            holder(tmp_path)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(50):
            with RunLock(tmp_path, "run"):
                pass
    finally:
        stop.set()
        for looker in lookers:
            looker.join()


def test_who_looks_for_long_is_waited_for_and_who_holds_it_is_not(tmp_path: Path) -> None:
    with RunLock(tmp_path, "run"):
        pass
    with (tmp_path / LOCK).open() as looking:
        assert lock(looking, shared=True)
        threading.Timer(2 * HOLDER_S, looking.close).start()
        with RunLock(tmp_path, "run"):
            assert looking.closed
            with pytest.raises(AlreadyRunning):
                RunLock(tmp_path, "check").acquire()


def test_it_dies_with_its_process(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        assert holder(tmp_path) == {"pid": process.pid, "purpose": "run"}
    finally:
        process.kill()
        process.communicate()
    assert holder(tmp_path) is None
    with RunLock(tmp_path, "run"):
        assert (tmp_path / LOCK).is_file()


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EcomLiteError, match=r"file/data cannot be used: Not a directory; choose another by --data-dir"):
        RunLock(tmp_path / "file" / "data", "run").acquire()
    assert holder(tmp_path / "file" / "data") is None
