"""Why a Spark cluster does nothing, in words."""

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from ecom_lite.errors import StreamError
from ecom_lite.stream.executors import LOOK_EVERY_S, Executors, require_master

MASTER = "spark://127.0.0.1:7077"
LINE = "2026-11-27T20:31:28.529Z INFO  StandaloneAppClient$ClientEndpoint: Executor updated: app-1/{} is now {}"


class Cluster:
    """The driver's log, and how many executors have reported to it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.at_work = 0
        self.now = 100.0

    def log_tail(self, n: int = 20) -> str:
        return "\n".join(self.lines[-n:])

    def dies(self, number: int, how: str = "EXITED (Command exited with code 1)") -> None:
        self.lines += [LINE.format(number, "RUNNING"), LINE.format(number, how)]

    def executors(self, master: str = MASTER) -> Executors:
        context = SimpleNamespace(getExecutorMemoryStatus=lambda: SimpleNamespace(size=lambda: self.at_work + 1))
        session: Any = SimpleNamespace(sparkContext=SimpleNamespace(_jsc=SimpleNamespace(sc=lambda: context)))
        return Executors(session, self, master, clock=lambda: self.now)

    def look(self, executors: Executors) -> None:
        self.now += LOOK_EVERY_S
        executors.require()


def test_executors_that_die_one_after_the_other_are_named_with_what_to_do() -> None:
    cluster = Cluster()
    cluster.dies(0)
    executors = cluster.executors()
    for number in (1, 2):
        cluster.dies(number)
        cluster.look(executors)
    cluster.dies(3, "FAILED")
    with pytest.raises(StreamError, match=r"(?s)3 so far; the last: no reason given.*full JDK.*JAVA_HOME"):
        cluster.look(executors)


def test_a_death_beside_others_at_work_is_an_accident() -> None:
    cluster = Cluster()
    executors = cluster.executors()
    cluster.at_work = 1
    for number in range(5):
        cluster.dies(number)
        cluster.look(executors)
    assert executors.missing() == ""
    cluster.at_work = 0
    cluster.look(executors)
    assert "free core" in executors.missing()
    for number in range(5, 8):
        cluster.dies(number, "KILLED")
    with pytest.raises(StreamError, match="die as soon as"):
        cluster.look(executors)


def test_local_spark_has_no_executors_to_watch() -> None:
    cluster = Cluster()
    executors = cluster.executors("local[2]")
    for number in range(9):
        cluster.dies(number)
    cluster.look(executors)
    assert executors.missing() == ""


def test_a_master_that_does_not_answer_is_named_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(StreamError, match=rf"no master answers \(127\.0\.0\.1:{port}: .*correct spark\.master"):
            require_master(f"spark://127.0.0.1:{port}")
        taken.listen()
        require_master(f"spark://127.0.0.1:1,127.0.0.1:{port}")
    require_master("local[2]")
    require_master("yarn")
    with pytest.raises(StreamError, match="'nowhere' is no host:port"):
        require_master("spark://nowhere")
