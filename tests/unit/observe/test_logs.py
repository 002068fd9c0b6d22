"""Logs read back: the last lines in the order of their time, and new ones as they come."""

from __future__ import annotations

import errno
import io
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecom_lite.observe.logs import follow, log_files, setup_file_logs, sizes, tail

KAFKA = "2026-11-23T07:12:{:02}.499Z INFO  BrokerServer: {}\n"
POSTGRES = "2026-11-23 07:12:{:02}.077 UTC [1] LOG:  {}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "logs").mkdir()
    yield tmp_path
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("ecom_lite.") and isinstance(logger, logging.Logger):
            logger.handlers, logger.propagate = [], True
    logging.getLogger().handlers = []
    logging.captureWarnings(False)


def write(folder: Path, part: str, text: str) -> Path:
    file = folder / "logs" / f"{part}.log"
    with file.open("a", encoding="utf-8") as log:
        log.write(text)
    return file


def shown(folder: Path, lines: int) -> list[tuple[str, str]]:
    files = log_files(folder, None)
    return [(name, line.split(": ")[-1].strip()) for name, line in tail(files, lines, sizes(files))]


def test_all_parts_together_are_in_the_order_of_time(folder: Path) -> None:
    write(folder, "kafka", KAFKA.format(1, "a") + KAFKA.format(3, "c") + "    at a stack frame\n" + KAFKA.format(5, "e"))
    write(folder, "postgres", POSTGRES.format(2, "b") + POSTGRES.format(4, "d"))
    assert [line for _, line in shown(folder, 10)] == ["a", "b", "c", "at a stack frame", "d", "e"]


def test_only_the_last_lines_of_each_also_of_a_long_file(folder: Path) -> None:
    write(folder, "kafka", "".join(KAFKA.format(1, f"{'x' * 500} {n}") for n in range(1000)))
    assert [line.split()[-1] for _, line in shown(folder, 300)] == [str(n) for n in range(700, 1000)]
    assert shown(folder, 0) == []


def test_one_part_by_its_name_or_the_name_it_has_in_the_status(folder: Path) -> None:
    write(folder, "dashboards", "x\n")
    write(folder, "kafka", "x\n")
    assert list(log_files(folder, None)) == ["dashboards", "kafka"]
    assert list(log_files(folder, "page")) == ["dashboards"]
    assert log_files(folder, "nonsense") == {}


def test_follow_goes_on_where_tail_ended_and_sees_new_files_and_rotation(folder: Path) -> None:
    kafka = write(folder, "kafka", "old\n")
    start = sizes(log_files(folder, None))
    write(folder, "kafka", "between\n")
    steps: Iterator[Callable[[], object]] = iter(
        [
            lambda: write(folder, "load", "first\nhal"),
            lambda: write(folder, "load", "f\n"),
            lambda: kafka.write_text("new\n"),
        ]
    )

    def wait(_seconds: float) -> bool:
        step = next(steps, None)
        if step is None:
            return True
        step()
        return False

    lines = list(follow(lambda: log_files(folder, None), wait, start))
    assert ("load", "first") in lines and ("load", "half") in lines
    assert ("kafka", "between") in lines and ("kafka", "new") in lines
    assert ("kafka", "old") not in lines


def test_each_room_writes_to_its_own_file_in_one_line_and_utc(folder: Path) -> None:
    setup_file_logs(folder, "info")
    logging.getLogger("ecom_lite.transform").info("dbt run %d", 1)
    logging.getLogger("some.library").warning("careful")
    ((_, line),) = list(tail(log_files(folder, "transform"), 5, sizes(log_files(folder, "transform"))))
    assert line.endswith("INFO    dbt run 1") and line[10] == "T"
    logging.getLogger("ecom_lite.alerts").info("alert lag is over")
    assert "alert lag is over" in (folder / "logs" / "alerts.log").read_text(), "as that it fires"
    assert "careful" in (folder / "logs" / "libraries.log").read_text()
    assert not (folder / "logs" / "load.log").exists()


def test_a_log_that_cannot_be_written_is_said_once_and_without_a_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "logs" / "transform.log").mkdir(parents=True)
    setup_file_logs(folder, "info")
    for number in range(3):
        logging.getLogger("ecom_lite.transform").info("dbt run %d", number)
    said = capsys.readouterr().err
    assert said.startswith(f"ecom_lite: a log cannot be written: {folder / 'logs' / 'transform.log'}: Is a directory")
    assert said.count("\n") == 1


def test_a_log_that_cannot_be_written_ends_nothing_where_nobody_can_be_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the background stderr is a file on the same disk: when that is full, a part that dies must be started again all the
    same."""

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (folder / "logs" / "supervise.log").mkdir(parents=True)
    setup_file_logs(folder, "info")
    monkeypatch.setattr("sys.stderr", Full())
    logging.getLogger("ecom_lite.supervise").error("load died")
