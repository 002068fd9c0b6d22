"""Ctrl-C comes between two steps, and never gets lost."""

from __future__ import annotations

import signal
import threading

import pytest

from ecom_lite.own_events.whole import Whole


def test_ctrl_c_waits_for_the_end_of_the_step() -> None:
    whole, done = Whole(), []
    with pytest.raises(KeyboardInterrupt), whole.kept():
        with whole:
            signal.raise_signal(signal.SIGINT)
            done.append("first")
        done.append("second")
    assert done == ["first"]


def test_ctrl_c_between_two_steps_comes_at_once_and_later_ones_are_not_affected() -> None:
    whole = Whole()
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), whole.kept():
        with whole:
            pass
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    with whole.kept(), whole:
        pass


def test_in_another_thread_it_is_nothing() -> None:
    done = []

    def step() -> None:
        whole = Whole()
        with whole.kept(), whole:
            done.append(1)

    thread = threading.Thread(target=step)
    thread.start()
    thread.join()
    assert done == [1]
