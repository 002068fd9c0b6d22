"""The command line: help for people, one clear message per mistake, the right exit code, stdout only for data."""

from __future__ import annotations

import io
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from msgspec.structs import replace

from ecom_lite import __version__, cli
from ecom_lite.live.lock import RunLock
from ecom_lite.live.state import RunState, write_state
from ecom_lite.observe.status import PartStatus
from ecom_lite.settings import load as settings_load
from ecom_lite.settings.password import matches

LOOKING = (
    "run",
    "status",
    "stop",
    "logs",
    "refresh",
    "check",
    "sql",
    "psql",
    "tables",
    "migrate",
    "fetch",
    "reset",
    "doctor",
    "config",
)
VERBS = (*LOOKING, "rate", "pause", "resume", "fault", "campaign", "demo", "generate", "produce", "events", "password")


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Shell:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys

    def __call__(self, *arguments: str, data: bool = True) -> Said:
        where = ["--data-dir", str(self.folder)] if data else []
        self._monkeypatch.setattr(sys, "argv", ["ecom_lite", *arguments, *where])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self._capsys.readouterr()
        return Said(int(ended.value.code or 0), out, err)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return Shell(tmp_path / "data", monkeypatch, capsys)


def test_help_names_every_verb_and_each_verb_explains_itself(shell: Shell) -> None:
    overview = shell("--help", data=False)
    assert overview.code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in overview.out
        said = shell(verb, "--help", data=False)
        first = said.out.strip().splitlines()[2].strip()
        assert said.code == 0 and first[0].isupper() and first.endswith(".")
    assert "..." not in overview.out.replace("COMMAND [ARGS]...", ""), "no summary is cut off"


def test_version(shell: Shell) -> None:
    assert shell("--version", data=False) == Said(0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "nonsense"),
        (["run", "--nonsense"], "--nonsense"),
        (["run", "--for", "soon"], "--for 'soon': give a time such as 60s, 5m, 2h or 90d"),
        (["run", "--for", "0s"], "--for '0s'"),
        (["run", "--rate", "fast"], "shop.rate = 'fast'"),
        (["run", "--rate", "0"], "shop.rate = '0'"),
        (["run", "--port", "70000"], "dashboards.port = 70000"),
        (["run", "--events", "-1"], "--events"),
        (["status", "--config", "none.toml"], "none.toml: no such file"),
        (["logs"], "nothing has run here yet"),
        (["status"], "nothing runs in"),
        (["stop"], "nothing runs in"),
        (["check"], "has no data yet: start with `ecom_lite run`"),
        (["sql", ""], "no SQL statement was given"),
        (["sql", "SELECT 1; SELECT 2"], "2 SQL statements were given: give one"),
        (["rate", "-5"], "rate '-5': give a number of orders per second above 0"),
        (["rate", "-5.5"], "rate '-5.5'"),
        (["rate", "-1e3", "--json"], "rate '-1e3'"),
        (["dead", "show", "-1:5"], "-1:5"),
        (["rate", "--nonsense"], "No such option: --nonsense"),
        (["rate", "-x"], "No such option: -x"),
        (["sql", "SELECT 1"], "has no data yet: start with `ecom_lite run`"),
        (["refresh"], "has no data yet: start with `ecom_lite run`"),
        (["refresh", "--select", "cohorts", "--select", "cohort"], "no model 'cohort': did you mean cohorts"),
        (["refresh", "--select", "nothing_like_it"], "no model 'nothing_like_it': there are: basket_pairs, category_trend"),
    ],
)
def test_a_wrong_use_is_one_message_and_code_2(shell: Shell, arguments: list[str], words: str) -> None:
    said = shell(*arguments, data=arguments[0] != "nonsense")
    assert said.code == 2
    assert words in said.err and "Traceback" not in said.err
    assert said.out == ""
    assert not shell.folder.exists(), "nothing is left behind"


def test_events_without_the_shop_make_no_sense(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_LITE_SHOP__ENABLED", "false")
    said = shell("run", "--events", "5")
    assert said.code == 2 and "shop.enabled is false" in said.err


def test_config_shows_every_setting(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_LITE_POSTGRES__URL", "postgresql://me:hush@there/db")
    said = shell("config", "--json")
    settings = json.loads(said.out)
    assert (said.code, settings["shop.seed"], settings["postgres.url"]) == (0, "7", "***")
    assert settings["run.data_dir"] == str(shell.folder)
    assert "shop.rate" in shell("config").out
    (shell.folder.parent / "config.toml").write_text("[shop]\nrate = 20\n")
    shown = json.loads(shell("config", "show", "--json").out)
    assert shown["shop.rate"] == {"value": "20.0", "from": "config.toml:2"}
    assert shown["postgres.url"] == {"value": "***", "from": "environment ECOM_LITE_POSTGRES__URL"}
    assert shown["run.data_dir"]["from"] == "option --data-dir" and shown["shop.seed"]["from"] == "default"
    assert "config.toml:2" in shell("config", "show").out == shell("config").out
    assert shell("config", "nonsense").code == 2


def test_status_of_a_run_and_of_none(shell: Shell) -> None:
    part = PartStatus(state="ready", ok=True)
    state = RunState(
        state="running", pid=1, facts=12_345, addresses={"dashboards": "http://127.0.0.1:1/"}, parts={"load": part},
        control_token="hush",
    )  # fmt: skip
    with RunLock(shell.folder, "run"):
        write_state(shell.folder, state)
        said = shell("status")
        assert said.code == 0 and "12,345" in said.out and "http://127.0.0.1:1/" in said.out and "✔ load" in said.out
        shown = json.loads(shell("status", "--json").out)
        assert (shown["facts"], shown["parts"]["load"]["ok"], shown["pid"]) == (12_345, True, 1)
        assert shown.keys() == set(RunState.__struct_fields__) - {"control_token"}
        waiting = replace(part, ok=False, detail="waiting for postgres")
        write_state(shell.folder, replace(state, parts={"load": waiting}))
        said = shell("status")
        assert said.code == 1 and "waiting for postgres" in said.out
        write_state(shell.folder, replace(state, version=99))
        said = shell("status")
        assert said.code == 1 and "another version of ecom_lite (its form is 99, this one reads 1)" in said.err
    said = shell("status", "--json")
    assert (said.code, json.loads(said.out)) == (2, {"state": "stopped"})


def test_a_command_that_has_the_folder_is_no_run_whatever_the_last_run_has_left(shell: Shell) -> None:
    """A prompt of `sql` after a run that was killed: its state says running, with all parts well."""
    part = PartStatus(state="ready", ok=True)
    shell.folder.mkdir()
    write_state(shell.folder, RunState(state="running", pid=1, bootstrap="127.0.0.1:1", parts={"load": part}))
    (shell.folder.parent / "events.jsonl").write_text("{}\n")
    with RunLock(shell.folder, "sql"):
        said = shell("status")
        assert said.code == 2 and "no run: `ecom_lite sql`, pid" in said.err and said.out == ""
        said = shell("status", "--json")
        assert (said.code, json.loads(said.out)) == (2, {"state": "stopped"})
        said = shell("produce", "events.jsonl")
        assert said.code == 2 and "no broker to send to: nothing runs in" in said.err
        said = shell("lake", "attach")
        assert said.code == 1 and "there is no run in" in said.err


def test_stop_does_not_end_what_is_no_run(shell: Shell) -> None:
    with RunLock(shell.folder, "check"):
        said = shell("stop")
    assert said.code == 2 and "ecom_lite check" in said.err


def test_a_second_run_is_told_who_has_the_folder(shell: Shell) -> None:
    with RunLock(shell.folder, "run"):
        for extra in ((), ("--detach",), ("--fresh",)):
            said = shell("run", "--light", *extra)
            assert said.code == 2 and "is in use by `ecom_lite run`, pid" in said.err and said.out == ""


def test_logs_of_all_and_of_one(shell: Shell) -> None:
    folder = shell.folder / "logs"
    folder.mkdir(parents=True)
    (folder / "load.log").write_text("2026-11-23T07:00:02.000 INFO    loaded\n")
    (folder / "kafka.log").write_text("2026-11-23T07:00:01.000Z INFO  up\n")
    lines = shell("logs").out.splitlines()
    assert [line.split(" |")[0].strip() for line in lines] == ["kafka", "load"]
    assert shell("logs", "load").out == "2026-11-23T07:00:02.000 INFO    loaded\n"
    assert shell("logs", "-n", "0").out == ""
    said = shell("logs", "nonsense")
    assert said.code == 2 and "there is: kafka, load" in said.err


def test_reset_asks_and_deletes_only_what_is_ours(shell: Shell) -> None:
    (shell.folder / "kafka").mkdir(parents=True)
    (shell.folder / "kafka" / "segment").write_bytes(b"x" * 2_000_000)
    (shell.folder / "sql_history").write_bytes(b"x" * 1_234)
    (shell.folder / "my notes.txt").write_text("keep")
    said = shell("reset")
    assert said.code == 2 and "--yes" in said.err and (shell.folder / "kafka").is_dir()
    said = shell("reset", "--yes")
    assert said.code == 0 and "2.0 MB" in said.err and "1.2 kB" in said.err and said.out == ""
    assert sorted(entry.name for entry in shell.folder.iterdir()) == ["my notes.txt", "run.lock"]
    assert "nothing to delete" in shell("reset", "--yes").err


def test_a_database_that_goes_away_is_no_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(settings_load, "load_settings", gone)
    said = shell("status")
    assert said.code == 1 and "the warehouse did not answer: connection refused" in said.err


def test_ctrl_c_is_130(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(settings_load, "load_settings", interrupted)
    assert shell("status").code == 130


def test_a_place_that_this_user_may_not_enter_is_no_traceback(shell: Shell) -> None:
    locked = shell.folder / "locked"
    locked.mkdir(mode=0o000, parents=True)
    was = os.geteuid()
    if was == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        for verb in ("sql", "check", "reset", "status"):
            said = shell(verb, *(["SELECT 1"] if verb == "sql" else []), "--config", str(locked / "config.toml"))
            assert said.code == 1 and "Traceback" not in said.err and said.out == ""
            assert f"{locked / 'config.toml'}: Permission denied: make it readable" in said.err
    finally:
        os.seteuid(was)
        locked.chmod(0o700)


def test_a_password_is_hashed_from_stdin(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse\nmore\n"))
    said = shell("password", data=False)
    assert said.code == 0 and matches(said.out.strip(), "correct horse") and said.err == ""
    for wrong in ("short\n", "", "scrypt:15:8:1:a:b\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(wrong))
        said = shell("password", data=False)
        assert said.code == 2 and said.out == "" and "12 to 1,024 characters" in said.err


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_a_password_that_is_no_utf_8_is_refused(shell: Shell, monkeypatch: pytest.MonkeyPatch, errors: str) -> None:
    """By its locale Python reads it, or breaks off."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"correct h\xf6rse\n"), "utf-8", errors))
    said = shell("password", data=False)
    assert said.code == 2 and said.out == "" and "not UTF-8 text" in said.err


@pytest.mark.parametrize("closed", ["0", "1", "2", "0 1 2"])
def test_a_stream_that_the_caller_has_closed_is_as_if_nobody_heard(tmp_path: Path, closed: str) -> None:
    told = tmp_path / "told"
    code = (
        "import os, sys; sys.argv = ['ecom_lite', 'password']; import ecom_lite.__main__ as program; import ecom_lite.cli as cli;"
        f"cli.main = lambda: open({str(told)!r}, 'w').write(f'{{sys.stdin.isatty()}} {{os.open(os.devnull, 0) > 2}}');"
        "program.main(); print('x'); print('x', file=sys.stderr)"
    )
    ends = " ".join(f"{number}>&-" for number in closed.split())
    done = subprocess.run(["sh", "-c", f'exec "$0" -c "$1" {ends}', sys.executable, code], cwd=Path(__file__).parents[3])
    assert done.returncode == 0 and told.read_text() == "False True"


def test_a_run_that_cannot_be_deletes_no_data_for_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (shell.folder / "kafka").mkdir(parents=True)
    monkeypatch.setenv("ECOM_LITE_SHOP__ENABLED", "false")
    for extra in ((), ("--detach",)):
        said = shell("run", "--fresh", "--light", "--events", "5", *extra)
        assert said.code == 2 and "shop.enabled is false" in said.err and (shell.folder / "kafka").is_dir()


def test_a_run_that_others_could_look_at_without_a_password_does_not_start(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_LITE_DASHBOARDS__HOST", "0.0.0.0")
    said = shell("run", "--light")
    assert said.code == 2 and "dashboards.host = '0.0.0.0'" in said.err and "set dashboards.password" in said.err
    assert not (shell.folder / "run.lock").exists()


def test_status_shows_the_link_with_the_token_to_people_only(shell: Shell) -> None:
    state = RunState(state="running", pid=1, addresses={"dashboards": "http://127.0.0.1:1/"}, control_token="hush")
    with RunLock(shell.folder, "run"):
        write_state(shell.folder, state)
        assert "http://127.0.0.1:1/#token=hush" in shell("status").out
        assert "hush" not in shell("status", "--json").out


@pytest.mark.parametrize("setting", ["transform.project", "dashboards.folder"])
def test_a_run_whose_own_files_are_not_there_makes_nothing(shell: Shell, tmp_path: Path, setting: str) -> None:
    section, _, key = setting.partition(".")
    (tmp_path / "config.toml").write_text(f'[{section}]\n{key} = "nowhere"\n', "utf-8")
    said = shell("run", "--light")
    assert said.code == 2 and setting in said.err and "nowhere" in said.err
    assert not (tmp_path / "data").exists()
