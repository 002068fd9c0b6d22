"""A test process's share in the engines, without engines: where they are, who may ask, and a keeper that is played here."""

from __future__ import annotations

import gc
import socket
import threading
import time
import uuid
import warnings
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ecom_lite.errors import EngineError
from ecom_lite.system import socket_address
from ecom_lite.testing import lease as lease_module
from ecom_lite.testing.lease import SOCKET, Lease
from ecom_lite.testing.line import hear, say


@pytest.fixture
def lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lease:
    monkeypatch.setattr(lease_module, "memory_folder", lambda room=0: tmp_path)
    return Lease(uuid.uuid4().hex, {})


@pytest.fixture
def listener(lease: Lease) -> Iterator[socket.socket]:
    """What a keeper listens on."""
    lease.folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        with socket_address(lease.folder, SOCKET) as address:
            listener.bind(address)
        listener.listen()
        yield listener


def test_a_session_stays_in_the_folder_that_its_first_process_has_found_room_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, room = tmp_path / "memory", True
    monkeypatch.setattr(lease_module, "memory_folder", lambda needed=0: memory if room or not needed else None)
    first = Lease("run", {})
    assert first.folder.parent == memory
    room = False  # the engines of the session themselves have taken it
    assert Lease("other run", {}).folder.parent != memory
    first.folder.mkdir(parents=True)
    assert Lease("run", {}).folder == first.folder


def test_no_temporary_folder_at_all_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(lease_module, "memory_folder", lambda room=0: None)
    monkeypatch.setattr("tempfile.gettempdir", full)
    with pytest.raises(EngineError, match=r"no folder for the engines of this session: .*No usable temporary directory"):
        Lease("run", {})


def test_an_answer_is_waited_for_whatever_time_out_the_tests_give_their_sockets(lease: Lease, listener: socket.socket) -> None:
    def keep() -> None:
        link, _ = listener.accept()
        link.setblocking(True)  # the keeper is another process, where no test says anything
        line = Connection(link.detach())
        hear(line)  # the greeting
        hear(line)
        time.sleep(0.2)  # longer than the time-out
        say(line, ("", "done"))

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    socket.setdefaulttimeout(0.05)  # in a conftest.py
    try:
        assert lease.ask("wait", "events_1", 30) == "done"
    finally:
        socket.setdefaulttimeout(None)
    keeper.join(5)


def test_a_forked_process_is_told_whose_the_engines_are(lease: Lease, listener: socket.socket) -> None:
    lease.take()
    fork = get_context("fork")
    here, there = fork.Pipe()

    def ask() -> None:
        try:
            lease.take()
        except EngineError as error:
            there.send(str(error))

    child = fork.Process(target=ask)
    child.start()
    child.join(10)
    assert here.poll(0)
    assert here.recv() == "the engines are those of the process that this one was forked from: ask for them there"
    lease.take()  # here they still are
    assert listener.fileno() >= 0


def test_a_keeper_is_started_without_a_warning(lease: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `filterwarnings = ["error"]` one would be the error of a test that has nothing to do with it, and with PYTHONWARNINGS
    the keeper's own end. Nor does it get libpq's variables, which would keep it from its own server."""
    keeper, told = tmp_path / "keeper", tmp_path / "told"
    keeper.write_text(f"#!/bin/sh\necho \"<$PYTHONWARNINGS> <$PGSSLMODE>\" > '{told}'\nexec sleep 0.5\n", "utf-8")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("PGSSLMODE", "require")
    keeper.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(keeper))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        lease.take()
        gc.collect()
    lease.give_back()
    assert [str(each.message) for each in seen if "subprocess" in str(each.message)] == []
    assert told.read_text("utf-8") == "<> <>\n"
