"""The prompt of `ecom_lite sql`, typed on a real terminal, on a PostgreSQL that is killed; and statements from a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.live.lock import RunLock
from ecom_lite.live.state import Database, RunState, write_state
from ecom_lite.settings.data_dir import PASSWORDS, ROLES_FILE, SECRETS, SQL_HISTORY
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from ecom_lite.warehouse.passwords import load_passwords
from ecom_lite.warehouse.roles import ensure_database_and_roles
from tests.runs import COMMAND, VERB_S, wait_for
from tests.terminals import CTRL_C, CTRL_D, ENTER, TAB, UP, Typed

PROMPT, FURTHER = "ecom> ", "   -> "
ENDLESS = "SELECT count(*) FROM range(100_000_000) a, range(100_000_000) b WHERE a.range * b.range = 7;"
SLOW = "FROM slow;"  # in the server
NAMES_S = 3.0  # of CPU: more than it takes to read the names for Tab, which goes on beside the prompt


class Shop:
    """A warehouse of its own, and a data folder whose settings name it."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.server = PostgresServer(folder / "postgres", folder / "logs", settings={"fsync": "off"})
        self.server.start()
        passwords = load_passwords(folder)
        address = Address(self.server.host, self.server.port, "shop", "postgres", self.server.superuser_password, passwords)
        ensure_database_and_roles(address)
        migrate(address)
        with address.connect("admin", autocommit=True) as admin:
            admin.execute("INSERT INTO warehouse.dim_category (category) VALUES ('Kitchen'), ('Garden')")
            admin.execute("CREATE VIEW warehouse.slow AS SELECT 1 AS one FROM pg_sleep(60)")
            admin.execute("GRANT SELECT ON warehouse.slow TO ecom_reader")
        file = self.data_dir / PASSWORDS / ROLES_FILE
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(dict(passwords)))
        self.address = address
        url = f"postgresql://postgres:{address.admin_password}@{address.host}:{address.port}/{address.database}"
        self.env = {**os.environ, "ECOM_LITE_POSTGRES__URL": url}

    def command(self, verb: str, *arguments: str) -> list[str]:
        return [*COMMAND, verb, *arguments, "--data-dir", str(self.data_dir)]

    def prompt(self, *arguments: str) -> Typed:
        return Typed(self.command("sql", *arguments), self.env)

    def busy(self) -> bool:
        """Whether the server works on a question."""
        with self.address.connect("admin", autocommit=True) as admin:
            asked = admin.execute(
                "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%slow%' AND pid <> pg_backend_pid()"
            )
            return asked.fetchone() is not None

    def asked(self, text: str, *arguments: str, verb: str = "sql") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(verb, *arguments), env=self.env, input=text, capture_output=True, text=True, timeout=VERB_S
        )


@pytest.fixture(scope="module")
def opened_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("prompt"))
    yield shop
    shop.server.remove()


@pytest.fixture
def shop(opened_shop: Shop) -> Shop:
    """Up, however the test before has ended."""
    try:
        opened_shop.busy()
    except psycopg.OperationalError:
        opened_shop.server.kill()
        opened_shop.server.start()
    return opened_shop


def answer(typed: Typed, line: str) -> str:
    """Type the line and wait for the next prompt: what was written until then."""
    typed.type(line + ENTER)
    return typed.until(PROMPT)


def test_a_talk(shop: Shop) -> None:
    with shop.prompt() as typed:
        assert "read-only" in typed.until(PROMPT)
        assert "Garden" in answer(typed, "FROM dim_category ORDER BY category;") and "(2 rows, " in typed.all
        typed.type("SELECT count(*) AS many" + ENTER)
        typed.until(FURTHER)
        typed.type(ENTER)
        typed.until(FURTHER)
        typed.type("-- those that end in 'en;'" + ENTER)
        typed.until(FURTHER)
        typed.type("FROM dim_category WHERE category LIKE 'K" + ENTER)
        typed.until("   '> ")
        typed.type(CTRL_C)
        typed.until(PROMPT)
        assert "42\r\n" in answer(typed, "SELECT 6 * 7 AS all; SELECT 'next' AS one;") and "next" in typed.all
        assert "error: no table dim_categry; did you mean warehouse.dim_category" in answer(typed, "FROM dim_categry;")
        assert "only reads" in answer(typed, "DROP TABLE dim_category;")
        assert "error: no command .tabels; did you mean .tables?" in answer(typed, ".tabels")
        assert "category_key" in answer(typed, ".schema dim_category")
        answer(typed, ".format json")
        assert '{"one": 1}' in answer(typed, "SELECT 1 AS one;")
        assert "Traceback" not in typed.all
        typed.type(CTRL_D)
        assert typed.exit_code() == 0


def test_a_command_beside_a_prompt_that_has_started_its_own_servers_is_told_which(shop: Shop) -> None:
    with shop.prompt() as typed:
        typed.until(PROMPT)
        beside = shop.asked("", "SELECT 1")
        assert beside.returncode == 2 and f"in use by `ecom_lite sql`, pid {typed.pid}: wait for its end" in beside.stderr


def test_the_tables_are_those_of_the_verb(shop: Shop) -> None:
    with shop.prompt() as typed:
        typed.until(PROMPT)
        shown = answer(typed, ".tables warehouse")
    told = shop.asked("", "warehouse", verb="tables").stdout
    names = [line.split()[0] for line in told.splitlines()[1:]]
    assert "dim_category" in names and [line.split()[0] for line in shown.splitlines() if line.startswith("  ")] == names


def test_tab_completes(shop: Shop) -> None:
    with shop.prompt() as typed:
        typed.until(PROMPT)
        typed.type("desc" + TAB)
        typed.until("describe ")
        typed.type("war" + TAB)
        typed.until("warehouse.", again=TAB)  # a Tab waits two seconds for the first names, and a busy machine takes longer
        typed.type("dim_cat" + TAB)
        typed.until("dim_category")
        assert "(2 rows, " in answer(typed, ";")
        typed.type("SELECT c.category_k" + TAB + " AS k" + CTRL_C)  # without a table nothing is known of c
        typed.until(PROMPT)
        typed.type("FROM dim_category c" + ENTER)
        typed.until(FURTHER)
        typed.type("WHERE c.category_k" + TAB + " < 0;" + ENTER)
        assert "(0 rows, " in typed.until(PROMPT)
        typed.type(".sch" + TAB + "dim_da" + TAB + ENTER)
        assert "warehouse.dim_date, " in typed.until(PROMPT)


@pytest.mark.parametrize("question", [ENDLESS, SLOW])
def test_ctrl_c_ends_the_question_and_not_the_prompt(shop: Shop, question: str) -> None:
    with shop.prompt() as typed:
        typed.until(PROMPT)
        process = psutil.Process(typed.pid)
        before_s = process.cpu_times().user
        typed.type(question + ENTER)
        if question == SLOW:
            wait_for(shop.busy, "the server works on it")
        else:
            wait_for(lambda: process.cpu_times().user > before_s + NAMES_S, "DuckDB works on it")
        typed.type(CTRL_C)
        typed.until("ended by Ctrl-C")
        typed.until(PROMPT)
        assert "42\r\n" in answer(typed, "SELECT 6 * 7 AS all;")
        typed.type(".quit" + ENTER)
        assert typed.exit_code() == 0


def test_a_question_that_takes_too_long_is_told_how_it_gets_more_time(shop: Shop) -> None:
    with shop.prompt("--timeout", "0.3") as typed:
        typed.until(PROMPT)
        assert "longer than 0.3 s and was ended: give it more time, or ask for less (.timeout 1.2)" in answer(typed, ENDLESS)
        answer(typed, ".timeout 20")
        assert "(2 rows, " in answer(typed, "FROM dim_category;")


def test_the_history_is_there_after_a_restart(shop: Shop) -> None:
    with shop.prompt() as typed:
        typed.until(PROMPT)
        typed.type("SELECT 6 *" + ENTER)
        typed.until(FURTHER)
        assert "42\r\n" in answer(typed, "7 AS all;")
        typed.type(CTRL_D)
        assert typed.exit_code() == 0
    file = shop.data_dir / SQL_HISTORY
    assert file.stat().st_mode & 0o777 == 0o600
    with shop.prompt() as typed:
        typed.until(PROMPT)
        typed.type(UP)
        typed.until("SELECT 6 * 7 AS all;")
        assert "42\r\n" in answer(typed, "")


def test_a_server_that_died_between_two_questions_and_under_one(shop: Shop) -> None:
    with shop.prompt() as typed:
        typed.until(PROMPT)
        assert "(2 rows, " in answer(typed, "FROM dim_category;")
        shop.server.kill()
        shop.server.start()
        assert "(2 rows, " in answer(typed, "FROM dim_category;")
        shop.server.kill()
        typed.type("FROM dim_category;" + ENTER)
        typed.until("connecting anew")
        typed.type(CTRL_C)
        typed.until("ended by Ctrl-C")
        typed.until(PROMPT)
        for line in ("FROM dim_category;", ".tables"):
            assert "error: " in (told := answer(typed, line)) and "Connection refused" in told
        shop.server.start()
        assert "dim_category" in answer(typed, ".tables") and "(2 rows, " in answer(typed, "FROM dim_category;")
        shop.server.kill()
        shop.server.start()
        assert "dim_category" in answer(typed, ".tables warehouse")
        typed.type(SLOW + ENTER)
        wait_for(shop.busy, "the server works on it")
        shop.server.kill()
        shop.server.start()  # at once: it is waited for half a minute
        typed.until("went away")
        typed.until("connecting anew")
        wait_for(shop.busy, "it is asked once more")
        typed.type(CTRL_C)
        typed.until("ended by Ctrl-C")
        typed.until(PROMPT)
        assert "(2 rows, " in answer(typed, "FROM dim_category;")
        assert "Traceback" not in typed.all and "COPY" not in typed.all
        typed.type(CTRL_D)
        assert typed.exit_code() == 0


def test_a_server_that_is_not_there_is_one_line(shop: Shop) -> None:
    env = {**shop.env, "ECOM_LITE_POSTGRES__URL": "postgresql://postgres:x@127.0.0.1:1/shop"}
    with Typed(shop.command("sql"), env) as typed:
        assert typed.exit_code() == 1
    assert "ecom_lite: " in typed.all and "Connection refused" in typed.all and "Traceback" not in typed.all


def test_the_statements_of_a_file_are_answered_one_after_the_other(shop: Shop) -> None:
    done = shop.asked("-- first\nSELECT 1 AS one;\nSELECT 'a;\nb' AS two;\n.schema dim_category\nSELECT 3\nAS three", "--json")
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert [json.loads(lines[number]) for number in (0, 1, -1)] == [{"one": 1}, {"two": "a;\nb"}, {"three": 3}]
    assert lines[2].startswith("warehouse.dim_category")


def test_a_file_that_is_no_utf_8_is_one_line_of_error_and_one_with_a_mark_and_windows_lines_is_answered(shop: Shop) -> None:
    def asked(data: bytes, *more: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            shop.command("sql", *more), env=shop.env, input=data, capture_output=True, timeout=VERB_S, check=False
        )

    for more in ((), ("--format", "parquet", "-o", "answer.parquet")):
        done = asked(b"SELECT 1 AS one\n, 'caf\xe9' AS two;\n", *more)
        assert done.returncode == 2 and done.stdout == b"" and done.stderr.count(b"\n") == 1
        assert b"stdin, line 2: byte 7 is 0xe9, which is not UTF-8" in done.stderr
    done = asked("\ufeffSELECT 'café' AS one;\r\nSELECT 2 AS two;\r\n".encode(), "--format", "csv")
    assert (done.returncode, done.stdout.decode()) == (0, "one\ncafé\ntwo\n2\n")
    done = subprocess.run(
        [*map(os.fsencode, shop.command("sql")), b"SELECT '\xe9'"], env=shop.env, capture_output=True, check=False
    )
    assert done.returncode == 2 and b"the SQL statement is not UTF-8 text" in done.stderr


def test_a_file_ends_with_its_first_error(shop: Shop) -> None:
    done = shop.asked("SELECT 1 AS one;\n\nSELECT 2 AS two; FROM nowhere;\nSELECT 3 AS three;", "--format", "csv")
    assert (done.returncode, done.stdout) == (1, "one\n1\ntwo\n2\n")
    assert done.stderr.startswith("ecom_lite: line 3: no table nowhere") and "Traceback" not in done.stderr


def test_an_answer_comes_before_the_file_has_ended(shop: Shop) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(shop.command("sql", "--json"), env=shop.env, stdin=pipe, stdout=pipe, text=True) as asking:
        assert asking.stdin is not None and asking.stdout is not None
        try:
            for number in (1, 2):
                asking.stdin.write(f"SELECT {number} AS n;\n")
                asking.stdin.flush()
                assert json.loads(asking.stdout.readline()) == {"n": number}
            asking.stdin.close()
            assert asking.wait(60) == 0
        finally:
            asking.kill()


def test_beside_a_run_a_short_question_imports_no_more_than_it_needs(shop: Shop, tmp_path: Path) -> None:
    """Once the settings were found right, what reads them is not imported, nor what explains a command line."""
    address = shop.address
    data_dir, env = tmp_path / "data", {**shop.env, "ECOM_LITE_POSTGRES__URL": ""}

    def ask(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "ecom_lite",
            "sql",
            "--json",
            *arguments,
            "--data-dir",
            str(data_dir),
        ]
        return subprocess.run(command, env={**env, **more}, capture_output=True, text=True, timeout=VERB_S)

    with RunLock(data_dir, "run"):
        (data_dir / SECRETS).write_text(json.dumps(dict(address.passwords)))
        where = Database(host=address.host, port=address.port, database=address.database)
        write_state(data_dir, RunState(state="running", pid=os.getpid(), postgres=where))
        first, second = ask("SELECT 1 AS one"), ask("SELECT 1 AS one")
        for done in (first, second):
            assert (done.returncode, done.stdout) == (0, '{"one": 1}\n'), done.stderr
        slow = ("typer", "pydantic", "msgspec", "psycopg", "rich", "tomllib")
        assert [name for name in slow if f" {name}\n" in first.stderr][:3] == ["typer", "pydantic", "msgspec"]
        assert not [name for name in slow if f" {name}\n" in second.stderr] and " duckdb\n" in second.stderr
        wrong = ask("FROM dim_categry")
        assert wrong.returncode == 1 and "no table dim_categry; did you mean warehouse.dim_category" in wrong.stderr
        refused = ask("SELECT 1 AS one", ECOM_LITE_SHOP__RATE="nonsense")
        assert refused.returncode == 2 and "ECOM_LITE_SHOP__RATE" in refused.stderr and refused.stdout == ""
    assert ask("SELECT 1 AS one").returncode == 2, "the run is over, and has no data"


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("", (), "no SQL statement was given"),
        ("-- nothing\n;", (), "no SQL statement was given"),
        ("SELECT 1; SELECT 2;", ("-o", "answer.csv"), "2 SQL statements were given"),
        ("SELECT 1; SELECT 2;", ("--format", "parquet"), "2 SQL statements were given"),
        (".tabels", (), "no command .tabels; did you mean .tables?"),
        ("DROP TABLE dim_category", (), "only reads"),
        ("", ("DROP TABLE dim_category",), "only reads"),
        ("", ("FROM read_csv('/etc/passwd')",), "only reads"),
    ],
)
def test_wrong_usage_is_code_2(shop: Shop, text: str, arguments: tuple[str, ...], words: str) -> None:
    done = shop.asked(text, *arguments)
    assert (done.returncode, done.stdout) == (2, "") and words in done.stderr and not Path("answer.csv").exists()


def test_tables_names_the_near_one_of_a_name_that_is_not_there(shop: Shop) -> None:
    done = shop.asked("", "warehouse.dim_categor", verb="tables")
    assert done.returncode == 2 and done.stdout == ""
    assert "no table warehouse.dim_categor; did you mean warehouse.dim_category" in done.stderr
    assert "dim_category" in shop.asked("", "dim_categor", verb="tables").stdout, "a part of a name"


def test_one_row_is_one_row(shop: Shop, tmp_path: Path) -> None:
    done = shop.asked("", "SELECT 1", "-o", str(tmp_path / "one.csv"))
    assert done.returncode == 0 and done.stderr.startswith("1 row in ")
