"""One dbt invocation in this process: its arguments, its environment, and its results as plain figures."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, Final

from ..errors import TransformError
from ..warehouse.connect import Address

ROLE: Final = "ecom_dbt"
LOG_FILE_BYTES: Final = 2_000_000  # dbt keeps five older files beside it
MESSAGE_CHARS: Final = 2_000
MODEL_DONE: Final = "LogModelResult"  # dbt's name of the event
MONEY_DECIMALS: Final = 2  # of the marts' amounts, at least
PARSE_CUT: Final = 0  # a parse takes no facts; one fixed value keeps dbt's partial parse valid

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What one `dbt build` did: `failed` names the data tests that found rows, `errors` says what could not run, and why."""

    models: int
    passed: int
    failed: Sequence[str]
    errors: Sequence[str]


class Dbt:
    """dbt on one project and one database. Not thread-safe: the caller holds a lock.

    The parsed project is kept between invocations, because dbt parses everything again when a variable changes, and the cut
    always does. An edited project file is noticed and parsed.
    """

    def __init__(self, address: Address, project_dir: Path, work_dir: Path, threads: int) -> None:
        self._address = address
        self._project_dir = project_dir
        self._work_dir = work_dir
        self._threads = threads
        self._manifest: Any = None
        self._decimals = MONEY_DECIMALS
        self._parsed: Mapping[str, tuple[int, int]] = {}

    def parse(self, money_decimals: int | None = None) -> None:
        """Import dbt and parse the project, unless that is done and no file changed since. Raises TransformError.

        `money_decimals` are those of the marts' amounts: part of their columns' types. None: as before.
        """
        decimals, files = self._decimals if money_decimals is None else money_decimals, self._files()
        if self._manifest is not None and (files, decimals) == (self._parsed, self._decimals):
            return
        self._decimals = decimals
        result = self._invoke("parse", "--vars", self._vars(PARSE_CUT))
        if result.exception is not None or result.result is None:
            raise TransformError(f"dbt cannot read the project {self._project_dir}: {brief(result.exception)}")
        self._manifest, self._parsed = result.result, files

    def build(
        self, load_xid_below: int, *, full_refresh: bool = False, money_decimals: int = MONEY_DECIMALS,
        said: Say = lambda text: None,
    ) -> Outcome:  # fmt: skip
        """Models and data tests, with the facts below the cut; `said` hears of each model as it finishes.

        Raises TransformError where dbt cannot run at all.
        """
        self.parse(money_decimals)
        arguments = ["--exclude-resource-type", "unit_test"]
        if full_refresh:
            arguments.append("--full-refresh")
        return self._outcome("build", load_xid_below, arguments, said)

    def unit_tests(self) -> Outcome:
        """dbt's own unit tests of the models: they need the models' tables, not their rows."""
        return self._outcome("test", PARSE_CUT, ["--resource-type", "unit_test"])

    def _outcome(self, verb: str, load_xid_below: int, arguments: Sequence[str], said: Say = lambda text: None) -> Outcome:
        self.parse()
        result = self._invoke(verb, *arguments, "--vars", self._vars(load_xid_below), manifest=self._manifest, said=said)
        if result.exception is not None:
            raise TransformError(f"dbt could not run: {brief(result.exception)}")
        return summarise(result.result.results if result.result is not None else [])

    def _vars(self, load_xid_below: int) -> str:
        return json.dumps({"load_xid_below": load_xid_below, "money_decimals": self._decimals})

    def _files(self) -> Mapping[str, tuple[int, int]]:
        if not (self._project_dir / "dbt_project.yml").is_file():
            raise TransformError(f"{self._project_dir} holds no dbt_project.yml: the dbt project is missing")
        found = {}
        for path in self._project_dir.rglob("*"):
            if path.suffix in {".sql", ".yml"}:
                stat = path.stat()
                found[str(path)] = (stat.st_mtime_ns, stat.st_size)
        return found

    def _invoke(self, verb: str, *arguments: str, manifest: Any = None, said: Say = lambda text: None) -> Any:
        runner = importlib.import_module("dbt.cli.main").dbtRunner  # 1.4-3 s the first time
        self._work_dir.mkdir(parents=True, exist_ok=True)
        fixed = {
            "--project-dir": self._project_dir,
            "--profiles-dir": self._project_dir,
            "--target-path": self._work_dir / "target",
            "--log-path": self._work_dir / "logs",
            "--log-level": "none",  # nothing on our stdout and stderr
            "--log-level-file": "info",
            "--log-file-max-bytes": LOG_FILE_BYTES,
            "--threads": self._threads,
        }
        switches = [
            "--no-send-anonymous-usage-stats",
            "--no-version-check",
            "--no-use-colors",
            "--no-write-json",
            "--partial-parse",
        ]
        options = [str(word) for pair in fixed.items() for word in pair]
        with environment(self._variables()) as forget:
            # dbt copies the environment before it sends the first event, so the password is in ours for milliseconds only.
            listen = _Listener(forget, said)
            return runner(manifest=manifest, callbacks=[listen]).invoke([verb, *options, *switches, *arguments])

    def _variables(self) -> dict[str, str]:
        address = self._address
        return {
            "ECOM_DBT_HOST": address.host,
            "ECOM_DBT_PORT": str(address.port),
            "ECOM_DBT_DATABASE": address.database,
            "ECOM_DBT_USER": ROLE,
            "DBT_ENV_SECRET_ECOM_PASSWORD": address.passwords[ROLE],
            "ECOM_DBT_THREADS": str(self._threads),
            **{
                f"ECOM_DBT_{name.upper()}": address.options.get(name, "")
                for name in ("sslmode", "sslrootcert", "sslcert", "sslkey")
            },
        }


class _Listener:
    """Hears dbt's events, from several of its threads."""

    def __init__(self, forget: Callable[[], None], said: Say) -> None:
        self._forget = forget
        self._said = said

    def __call__(self, event: Any) -> None:
        self._forget()
        if event.info.name == MODEL_DONE:
            model = event.data
            name = model.node_info.node_name
            state = "" if model.status != "error" else ", failed"
            self._said(f"{model.index} of {model.total}: {name}, {model.execution_time:.2f} s{state}")


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Set the variables, and blank them when the yielded function is called, at the latest at the end.

    They are blanked, not removed: removing a name under another thread that copies `os.environ` makes that copy fail.
    """
    resource_tracker.ensure_running()  # dbt's locks start this helper process: it must not inherit the password
    forgotten = False

    def forget() -> None:
        nonlocal forgotten
        if not forgotten:
            forgotten = True
            os.environ.update(dict.fromkeys(variables, ""))

    os.environ.update(variables)
    try:
        yield forget
    finally:
        forget()


def summarise(results: Sequence[Any]) -> Outcome:
    """dbt's node results as figures: a test that found rows is a failed test, anything that broke is an error."""
    models, passed = 0, 0
    failed: list[str] = []
    errors: list[str] = []
    for result in results:
        kind, status = str(result.node.resource_type), str(result.status)
        if status in {"error", "runtime error", "partial success"}:
            errors.append(f"{kind} {result.node.name}: {brief(result.message)}")
        elif status == "fail":
            failed.append(str(result.node.name))
        elif status in {"pass", "warn"}:
            passed += 1
        elif status == "success" and kind == "model":
            models += 1
    return Outcome(models, passed, failed, errors)


def brief(message: object) -> str:
    """A message of dbt on one line, at most MESSAGE_CHARS long."""
    return " ".join(str(message).split())[:MESSAGE_CHARS]
