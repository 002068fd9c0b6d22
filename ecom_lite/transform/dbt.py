"""One dbt invocation in this process: its arguments, its environment, and what comes of it."""

from __future__ import annotations

import importlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, Final

from ..errors import TransformError
from ..warehouse.connect import Address
from .docs import write_manifest
from .plan import CUT, ModelPlan, TestPlan, models_of, tests_of
from .results import SKIPPED, Outcome, brief, summarise

ROLE: Final = "ecom_dbt"
READER: Final = "ecom_reader"
LOG_FILE_BYTES: Final = 2_000_000  # dbt keeps five older files beside it
MODEL_DONE: Final = "LogModelResult"  # dbt's names of the events
MODEL_SKIPPED: Final = "SkippingDetails"
PLANNED: Final = ("incremental", "view", "ephemeral")  # materializations: views stand, and what is ephemeral is in other texts
MONEY_DECIMALS: Final = 2  # of the marts' amounts, at least
PARSE_CUT: Final = 0  # a parse takes no facts; one fixed value keeps dbt's partial parse valid

Say = Callable[[str], None]


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
        self._readings = 0
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
        self._readings += 1

    def build(
        self, load_xid_below: int, *, full_refresh: bool = False, money_decimals: int = MONEY_DECIMALS,
        select: Sequence[str] = (), said: Say = lambda text: None,
    ) -> Outcome:  # fmt: skip
        """The models with the facts below the cut, `select` those only and what they are made from; `said` hears of each.

        Tables that are made anew take the views above them away: these are made again, too. Raises TransformError where dbt
        cannot run at all.
        """
        self.parse(money_decimals)
        arguments = [word for name in select for word in ("--select", f"+{name}")]
        if full_refresh:
            arguments += [word for name in sorted(self._standing_on(self.behind(select))) for word in ("--select", name)]
            arguments.append("--full-refresh")
        return summarise(self._results("run", self._vars(load_xid_below), arguments, said))

    def models(self) -> Mapping[str, str]:
        """What there is to select: each model's name, and what it is made as (view, incremental, table)."""
        self.parse()
        nodes = self._manifest.nodes.values()
        return {node.name: str(node.config.materialized) for node in nodes if str(node.resource_type) == "model"}

    def behind(self, select: Sequence[str]) -> frozenset[str]:
        """The models that a run of these builds: they, and what they are made from."""
        nodes, found = self._manifest.nodes, set[str]()
        look = [uid for uid, node in nodes.items() if uid.startswith("model.") and node.name in select]
        while look:
            node = nodes[look.pop()]
            if node.name not in found:
                found.add(node.name)
                look += [uid for uid in node.depends_on.nodes if uid in nodes and uid.startswith("model.")]
        return frozenset(found)

    def _standing_on(self, built: frozenset[str]) -> set[str]:
        """The views that read one of these models, or a view that does."""
        views = [node for node in self._manifest.nodes.values() if str(node.config.materialized) == "view"]
        found: set[str] = set()
        while more := {
            view.name
            for view in views
            if view.name not in built | found and any(uid.split(".")[-1] in built | found for uid in view.depends_on.nodes)
        }:
            found |= more
        return found

    def tests(self) -> list[TestPlan]:
        """The data tests, compiled. Their models must be there."""
        results = self._results("compile", self._plan_vars(), ["--select", "test_type:data"])
        return tests_of(_good(results), self._manifest)

    def plan(self) -> list[ModelPlan]:
        """What an ordinary refresh does. A run of dbt must have made all models, with this very project. Raises TransformError
        where it has others than a plan can carry out."""
        for node in self._manifest.nodes.values():
            if node.resource_type in ("model", "seed", "snapshot") and node.config.materialized not in PLANNED:
                raise TransformError(f"{node.name} is a {node.config.materialized}, and a plan knows {', '.join(PLANNED)} only")
        results = self._results("run", self._plan_vars(), ["--select", "config.materialized:incremental"])
        return models_of(_good(results), self._manifest)

    @property
    def readings(self) -> int:
        """How often the project has been read."""
        return self._readings

    def unit_tests(self) -> Outcome:
        """dbt's own unit tests of the models: they need the models' tables, not their rows."""
        self.parse()
        return summarise(self._results("test", self._vars(PARSE_CUT), ["--resource-type", "unit_test"]))

    def docs(self, reader: Address, folder: Path) -> Path:
        """dbt's documentation of the project as one file, made in `folder`. Of the database it reads catalogues, as `reader` (see
        READER). Raises TransformError."""
        self.parse()
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(self._manifest, folder / "manifest.json")
        result = self._invoke(
            "docs generate", "--static", "--no-compile", "--vars", self._vars(PARSE_CUT), manifest=self._manifest, target=folder,
            address=reader, role=READER,
        )  # fmt: skip
        if result.exception is not None or not result.success:
            errors = getattr(result.result, "errors", None)
            raise TransformError(f"dbt could not make its documentation: {brief(result.exception or errors)}")
        return folder / "static_index.html"

    def _results(
        self, verb: str, variables: str, arguments: Sequence[str], said: Say = lambda text: None
    ) -> Sequence[Any]:  # fmt: skip
        result = self._invoke(verb, *arguments, "--vars", variables, manifest=self._manifest, said=said)
        if result.exception is not None:
            raise TransformError(f"dbt could not run: {brief(result.exception)}")
        return list(result.result.results) if result.result is not None else []

    def _vars(self, load_xid_below: int, **more: object) -> str:
        return json.dumps({"load_xid_below": load_xid_below, "money_decimals": self._decimals, **more})

    def _plan_vars(self) -> str:
        return self._vars(CUT, plan=True)

    def _files(self) -> Mapping[str, tuple[int, int]]:
        if not (self._project_dir / "dbt_project.yml").is_file():
            raise TransformError(f"{self._project_dir} holds no dbt_project.yml: the dbt project is missing")
        found = {}
        for path in self._project_dir.rglob("*"):
            if path.suffix in {".sql", ".yml"}:
                stat = path.stat()
                found[str(path)] = (stat.st_mtime_ns, stat.st_size)
        return found

    def _invoke(
        self, verb: str, *arguments: str, manifest: Any = None, said: Say = lambda text: None, target: Path | None = None,
        address: Address | None = None, role: str = ROLE,
    ) -> Any:  # fmt: skip
        dbt = importlib.import_module("dbt.cli.main")  # 1.4-3 s the first time
        self._work_dir.mkdir(parents=True, exist_ok=True)
        fixed = {
            "--project-dir": self._project_dir,
            "--profiles-dir": self._project_dir,
            "--target-path": target or self._work_dir / "target",
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
        with environment(self._variables(address or self._address, role)) as forget, no_options_of_environment(dbt.cli):
            # dbt copies the environment before it sends the first event, so the password is in ours for milliseconds only.
            return dbt.dbtRunner(manifest=manifest, callbacks=[Listener(forget, said)]).invoke(
                [*verb.split(), *options, *switches, *arguments]
            )

    def _variables(self, address: Address, role: str) -> dict[str, str]:
        return {
            "ECOM_DBT_HOST": address.host,
            "ECOM_DBT_PORT": str(address.port),
            "ECOM_DBT_DATABASE": address.database,
            "ECOM_DBT_USER": role,
            "DBT_ENV_SECRET_ECOM_PASSWORD": address.passwords[role],
            "ECOM_DBT_THREADS": str(self._threads),
            **{
                f"ECOM_DBT_{name.upper()}": address.options.get(name, "")
                for name in ("sslmode", "sslrootcert", "sslcert", "sslkey")
            },
        }


class Listener:
    """Hears dbt's events, from several of its threads, and tells of each model as it ends.

    dbt numbers models as they begin: those that end are counted here.
    """

    def __init__(self, forget: Callable[[], None], said: Say) -> None:
        self._forget = forget
        self._said = said
        self._lock = threading.Lock()
        self._ended = 0

    def __call__(self, event: Any) -> None:
        self._forget()
        if event.info.name == MODEL_DONE:
            state = "" if event.data.status != "error" else ", failed"
            self._ends(event.data, f"{event.data.execution_time:.2f} s{state}")
        elif event.info.name == MODEL_SKIPPED:
            self._ends(event.data, SKIPPED)

    def _ends(self, model: Any, how: str) -> None:
        with self._lock:
            self._ended += 1
            self._said(f"{self._ended} of {model.total}: {model.node_info.node_name}, {how}")


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


@contextmanager
def no_options_of_environment(command: Any) -> Iterator[None]:
    """No variable counts as an option of dbt's command meanwhile: DBT_EMPTY=1 would leave the marts empty, DBT_TARGET another
    database. The variables stay, as a project may ask for any by env_var()."""
    heard = [(option, option.envvar) for option in _options(command)]
    for option, _ in heard:
        option.envvar = None
    try:
        yield
    finally:
        for option, variables in heard:
            option.envvar = variables


def _options(command: Any) -> Iterator[Any]:
    yield from command.params
    for each in getattr(command, "commands", {}).values():
        yield from _options(each)


def _good(results: Sequence[Any]) -> Sequence[Any]:
    """The results, where all are good; else the first bad one is a TransformError."""
    for result in results:
        if str(result.status) not in ("success", "pass"):
            raise TransformError(f"dbt cannot plan {result.node.name}: {brief(result.message)}")
    return results
