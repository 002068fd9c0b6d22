"""The first signal asks, the second ends at once, one that the shell ignores stays ignored, and handlers are given back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from ecom_lite.run.interrupts import Interrupts, undisturbed

PATIENCE_S = 60.0


def test_the_first_signal_asks_and_the_handler_is_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interrupts(lambda: None) as interrupts:
        assert (interrupts.number, interrupts.exit_code) == (None, 0)
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.asked.wait(PATIENCE_S)
        assert interrupts.exit_code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def in_a_process(code: str) -> subprocess.CompletedProcess[str]:
    program = "import os, signal, threading\nfrom ecom_lite.run.interrupts import Interrupts\n" + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S)


def test_the_second_signal_ends_at_once_with_its_own_number() -> None:
    ended = in_a_process("""
        with Interrupts(lambda: os.write(1, b"cleaned")) as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            interrupts.asked.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait()
    """)
    assert (ended.stdout, ended.returncode) == ("cleaned", 128 + signal.SIGTERM), ended.stderr


def test_it_ends_also_where_cleaning_up_fails() -> None:
    ended = in_a_process("""
        with Interrupts(lambda: 1 / 0) as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            interrupts.asked.wait()
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait()
    """)
    assert ended.returncode == 128 + signal.SIGINT


def test_a_signal_that_is_ignored_stays_so() -> None:
    ended = in_a_process("""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with Interrupts(lambda: None) as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
            print(interrupts.asked.wait(0.3), interrupts.number)
    """)
    assert ended.stdout == "False None\n", ended.stderr


def test_nothing_disturbs_a_clean_up_and_the_signal_comes_after_it() -> None:
    cleaned = []
    with pytest.raises(KeyboardInterrupt), undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        cleaned.append(1)
    assert cleaned and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_impatient_second_signal_adds_nothing_to_the_first() -> None:
    cleaned = []
    with pytest.raises(SystemExit):
        try:
            raise SystemExit(143)
        finally:
            with undisturbed():
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGTERM)
                cleaned.append(1)
    assert cleaned


def test_a_clean_up_after_an_error_does_not_swallow_the_signal() -> None:
    with pytest.raises(KeyboardInterrupt):
        try:
            raise OSError
        finally:
            with undisturbed():
                os.kill(os.getpid(), signal.SIGINT)
