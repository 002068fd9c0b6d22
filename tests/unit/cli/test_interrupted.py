"""A signal in the first seconds of a command, while modules are imported or jars are fetched: one line and its exit code."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAID = "ecom_lite: stopped before anything was started\n"


def command(*arguments: str, first: Path | None = None) -> subprocess.Popen[str]:
    path = os.pathsep.join(str(folder) for folder in (first, ROOT) if folder is not None)
    return subprocess.Popen(
        [sys.executable, "-m", "ecom_lite", *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("module", ["typer", "rich/console"])
def test_while_modules_are_imported(tmp_path: Path, number: signal.Signals, module: str) -> None:
    """One of them sends the signal and then takes for ever."""
    slow = tmp_path / "slow" / f"{module}.py"
    slow.parent.mkdir(parents=True)
    slow.write_text(f"import os, signal, time; os.kill(os.getpid(), {int(number)}); time.sleep(600)")
    if "/" in module:
        (slow.parent / "__init__.py").write_text("")
    child = command("run", "--data-dir", str(tmp_path / "data"), first=tmp_path / "slow")
    out, err = child.communicate(timeout=120)
    assert (child.returncode, out, err) == (128 + number, "", SAID)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_while_jars_are_fetched(tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("ECOM_LITE_JARS__MIRROR", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        monkeypatch.setenv("ECOM_LITE_JARS__CACHE_DIR", str(tmp_path / "jars"))
        monkeypatch.setenv("M2_REPO", str(tmp_path / "none"))
        child = command("run", "--light", "--data-dir", str(tmp_path / "data"))
        silent.settimeout(120)
        asked, _ = silent.accept()
        child.send_signal(number)
        asked.close()
    out, err = child.communicate(timeout=120)
    assert (child.returncode, out, err) == (128 + number, "", f"fetching the jars for kafka\n{SAID}")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_in_the_callback_of_a_weak_reference_where_python_drops_what_is_raised(number: signal.Signals) -> None:
    program = f"""if True:
        import os, time, weakref
        from ecom_lite.cli.ends import take_signals
        class Thing: pass
        def callback(_): os.kill(os.getpid(), {int(number)})
        take_signals()
        thing = Thing()
        reference = weakref.ref(thing, callback)
        try:
            del thing
            time.sleep(600)
        except KeyboardInterrupt:
            raise SystemExit(130)"""
    child = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (child.returncode, child.stderr) == (128 + number, "")


def test_any_other_exit_in_a_callback_is_printed_and_ends_nothing() -> None:
    program = """if True:
        import weakref
        from ecom_lite.cli.ends import take_signals
        class Thing: pass
        def callback(_): raise SystemExit("no number")
        take_signals()
        thing = Thing()
        reference = weakref.ref(thing, callback)
        del thing
        print("goes on")"""
    child = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (child.returncode, child.stdout) == (0, "goes on\n") and "no number" in child.stderr
