"""A pipe is read as it comes, and the time in which nothing comes is used."""

from __future__ import annotations

import os
import sys

import pytest

from ecom_lite.own_events.source import Pipe, opened


def test_what_is_there_is_read_without_a_pause() -> None:
    read, write = os.pipe()
    pipe = Pipe(read)
    pipe.meanwhile = lambda: pytest.fail("there is no meanwhile")
    os.write(write, b"some")
    assert pipe.read1(100) == b"some"
    os.close(write)
    assert pipe.read1(100) == b""
    os.close(read)


def test_while_nothing_comes_it_is_told_and_asks_again_as_often_as_wanted() -> None:
    read, write = os.pipe()
    asked: list[float | None] = [0.001, 0.001, None]

    def meanwhile() -> float | None:
        if len(asked) == 1:
            os.write(write, b"late")
        return asked.pop(0)

    pipe = Pipe(read)
    pipe.meanwhile = meanwhile
    assert pipe.read1(100) == b"late"
    assert not asked
    os.close(write)
    os.close(read)


def test_each_line_of_standard_input_is_there_before_the_next_one_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [b"0\n", b"1\n", b"2\n"]
    read, write = os.pipe()
    found: list[bytes] = []
    at_silence: list[list[bytes]] = []

    def meanwhile() -> None:
        at_silence.append(list(found))
        if lines:
            os.write(write, lines.pop(0))
        else:
            os.close(write)

    os.write(write, lines.pop(0))
    with os.fdopen(read) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with opened("-", print) as source:
            assert source.pipe is not None
            source.pipe.meanwhile = meanwhile
            for line in source.stream:
                found.append(line)
    assert found == [b"0\n", b"1\n", b"2\n"]
    assert at_silence == [found[:1], found[:2], found]
