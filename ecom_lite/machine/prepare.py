"""Prepares this machine: the jars, and the class archives that make a start quick."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..engines.child import finding_us, inherited, own_module
from ..engines.from_settings import jar_cache, jar_groups, kafka_server, spark_gateway
from ..engines.registry import ChildRegistry
from ..errors import EcomLiteError
from ..settings.data_dir import CHILDREN
from ..settings.load import NO_FILE
from ..settings.seen import ENV_PREFIX
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from .reset import reset_data


def fetch_jars(settings: Settings, terminal: Terminal, groups: Sequence[str] | None = None) -> None:
    """Bring what a start needs into the jar cache; no network where it is there. Raises JarError."""
    cache = jar_cache(settings)
    for group in jar_groups(settings) if groups is None else groups:
        missing = cache.missing(group)
        if not missing:
            continue
        with terminal.fetching(group) as progress:
            tasks = {jar.filename: progress.add_task(jar.filename, total=None) for jar in missing}

            def tell(name: str, done: int, total: int, tasks: dict[str, Any] = tasks, progress: Any = progress) -> None:
                progress.update(tasks[name], completed=done, total=total or None)

            cache.fetch(group, tell)
        terminal.say(f"fetched {len(missing)} jars for {group} into {cache.root}")


def quicken_kafka(settings: Settings) -> bool:
    """Make Kafka's class archive, which halves its start: a trial run lists the classes, 8 s in all, once.

    True when there is one. Raises EngineError.
    """
    with _trial(settings) as trial:
        broker = kafka_server(trial, ChildRegistry(trial.data_dir / CHILDREN))
        assert broker is not None
        if not broker.archive_wanted and not broker.archive_ready:
            try:
                broker.start()
            finally:
                broker.stop()
        return broker.build_archive()


def quicken_spark(settings: Settings) -> bool:
    """Make Spark's class archive, which halves the CPU of its start: a trial run lists the classes, about a minute in all, once.

    True when there is one. Raises EcomLiteError when the trial run fails.
    """
    with _trial(settings) as trial:
        try:
            gateway = spark_gateway(trial, ChildRegistry(trial.data_dir / CHILDREN))
            if not gateway.archive_wanted and not gateway.archive_ready:
                _run_once(trial)
            return gateway.build_archive()
        finally:
            reset_data(trial, keep_grafana=False)  # of root's run the cluster may be elsewhere


def _run_once(trial: Settings) -> None:
    """By settings of its own: those of the user may name servers, whose topic and warehouse would get the orders of the trial."""
    command = own_module("ecom_lite", "run", "--events", "500", "--rate", "100")
    command += ["--config", str(NO_FILE), "--data-dir", str(trial.data_dir)]
    here = {f"JARS__{name.upper()}": str(value) for name, value in trial.jars.model_dump().items() if value}
    here |= {"RUN__READY_TIMEOUT_S": str(trial.run.ready_timeout_s), "GRAFANA__ENABLED": "false"}  # of this machine, too
    env = finding_us({**inherited(), **{ENV_PREFIX + name: value for name, value in here.items()}})
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EcomLiteError(f"the trial run failed: {done.stderr.strip()[-500:]}")


@contextmanager
def _trial(settings: Settings) -> Iterator[Settings]:
    """The same settings for a run of our own servers in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="ecom_lite_trial_") as folder:
        run = settings.run.model_copy(update={"data_dir": Path(folder), "light": False})
        kafka = settings.kafka.model_copy(update={"bootstrap": "", "port": None})
        yield settings.model_copy(update={"run": run, "kafka": kafka})
