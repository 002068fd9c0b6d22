"""All of it at once: servers as docs/cluster.md asks for them, Spark on a cluster, loaders on two machines; each killed once.

`python -m tests.cluster.story FOLDER` prints what happens and when, and ends with the count; the exit code is 0 where it closes.
It is a process of its own, since it goes into a network of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import psutil
import psycopg

from ecom_lite.engines.ports import LOOPBACK
from tests.cluster.machines import Network, network
from tests.cluster.servers import DATABASE, Secured, secured
from tests.integration.spark_cluster import full_jdk, spark_cluster
from tests.runs import COMMAND, LightRun, wait_for

MACHINES: Final = 2
PARTITIONS: Final = 6
RATE: Final = 40  # orders a second, of two lines on average
READY_S: Final = 180.0
BACK_S: Final = 120.0
END_S: Final = 300.0
BROKER: Final = 2


class Log:
    """Lines with the seconds since the first event could be sent."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", flush=True)


class Run(LightRun):
    """Spark too, where `master` is."""

    def __init__(self, data_dir: Path, env: Mapping[str, str], master: str | None) -> None:
        self.light: Sequence[str] = ["--light"] if master is None else []
        more = {} if master is None else {"ECOM_LITE_SPARK__MASTER": master, "SPARK_LOCAL_IP": LOOPBACK}
        more |= {"ECOM_LITE_KAFKA__PARTITIONS": str(PARTITIONS), "ECOM_LITE_RUN__FAST_START": "false"}
        more |= {"ECOM_LITE_RUN__READY_TIMEOUT_S": f"{READY_S:g}"}
        super().__init__(data_dir, "--rate", str(RATE), "--json", env={**env, **more})


class LoaderMachine:
    """`ecom_lite load` with two loaders, on a machine of its own as far as there are any."""

    def __init__(self, folder: Path, before: Sequence[str], env: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self._log = folder / "load.err"
        command = [*before, *COMMAND, "load", "--processes", "2", "--data-dir", str(folder / "data")]
        with self._log.open("wb") as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err, env={**os.environ, **env}
            )  # fmt: skip

    def ready(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        return "is ready after" in self._log.read_text()

    def kill(self) -> None:
        """All its processes, at once."""
        if self.process.poll() is None:
            family = [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(self.process.pid)]
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self.process.wait()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)


class Progress:
    """How far the partitions are loaded, as the warehouse has it."""

    def __init__(self, servers: Secured) -> None:
        self._servers = servers

    def offsets(self) -> dict[int, int]:
        with self._servers.postgres.superuser(DATABASE) as superuser:
            query = "SELECT partition, next_offset FROM ops.consumer_offsets WHERE topic = 'ecommerce_events'"
            return dict(superuser.execute(query).fetchall())

    def further(self, than: Mapping[int, int]) -> bool:
        """Each partition."""
        try:
            now = self.offsets()
        except psycopg.OperationalError:  # not back yet
            return False
        return len(now) == PARTITIONS and all(offset > than.get(partition, 0) for partition, offset in now.items())


def main(folder: Path) -> int:
    with ExitStack() as stack:
        log, net = Log(), stack.enter_context(network(MACHINES))
        log(f"two machines for loaders: {net.why_not or 'network namespaces with wires to that of the servers'}")
        servers = stack.enter_context(secured(folder, net.server))
        servers.grant()
        log("3 Kafka nodes (TLS, SCRAM-SHA-512, ACLs) and PostgreSQL (TLS, no superuser) are up, and grant what the page says")
        jdk = full_jdk()
        master = None
        if jdk is None:
            log("no full JDK here, which Spark's executors need: a light run")
        else:
            cluster = stack.enter_context(spark_cluster(folder / "spark", jdk, workers=2))
            master = cluster.url
            log("a Spark master and 2 workers are up")
        return _course(folder, servers, net, master, log, stack)


def _course(folder: Path, servers: Secured, net: Network, master: str | None, log: Log, stack: ExitStack) -> int:
    run = Run(folder / "data", servers.settings("ecom_run", servers.url), master)
    stack.callback(run.close)
    run.wait_state("running", READY_S)
    log(f"the run is ready: its shop sends {RATE} orders a second")
    machines = [_machine(folder / f"machine-{number}", servers, net.on(number), run) for number in range(MACHINES)]
    for machine in machines:
        stack.callback(machine.kill)
        wait_for(machine.ready, "the loaders of a machine", READY_S)
    log("2 machines with 2 loaders each are ready, beside the run's own loader")
    progress = Progress(servers)
    wait_for(lambda: progress.further({}), "each partition is being loaded", BACK_S)

    _killed(log, progress, f"broker {BROKER} of 3", lambda: servers.kafka.kill(BROKER))
    servers.kafka.start_again(BROKER)
    began = time.monotonic()
    servers.kafka.wait_whole()
    log(f"   broker {BROKER} was started again: all replicas in sync after {time.monotonic() - began:.1f} s")

    _killed(log, progress, "loader machine 1 of 2 (both loaders and their supervisor)", machines[0].kill)
    machines[0] = _machine(folder / "machine-0 again", servers, net.on(0), run)
    stack.callback(machines[0].kill)
    wait_for(machines[0].ready, "the loaders of the machine that is back", READY_S)
    log("   loader machine 1 is back")

    def both() -> None:
        servers.postgres.kill()
        servers.postgres.start()

    _killed(log, progress, "PostgreSQL with all its sessions, started again at once", both)
    run.signal(signal.SIGINT)
    code = run.wait(END_S)
    for machine in machines:
        machine.end()
    log(f"the run was asked to end, and has (exit code {code})")
    said = run.verb("check", "--json", deadline_s=END_S)
    found = json.loads(said.stdout) if said.stdout else {}
    counted = {name: found.get(name) for name in ("sent", "facts", "duplicates", "dead", "lost") if name in found}
    log(f"the count {'closes' if found.get('closes') else 'DOES NOT CLOSE'}: {counted}")
    if not found.get("closes"):
        print(run.stderr, said.stdout, said.stderr, file=sys.stderr)
    return 0 if said.returncode == 0 and found.get("closes") else 1


def _machine(folder: Path, servers: Secured, before: Sequence[str], run: LightRun) -> LoaderMachine:
    """It knows no administrator: only Kafka's user for loaders, and a copy of the roles' passwords."""
    roles = folder.with_name(f"{folder.name}.roles.json")
    shutil.copy(run.data_dir / "passwords" / "roles.json", roles)
    env = servers.settings("ecom_load", servers.postgres.url("", "", DATABASE))
    return LoaderMachine(folder, before, {**env, "ECOM_LITE_POSTGRES__PASSWORDS_FILE": str(roles)})


def _killed(log: Log, progress: Progress, what: str, kill: Callable[[], None]) -> None:
    """Kill it, and see each partition go on."""
    before = progress.offsets()
    began = time.monotonic()
    log(f"KILL {what}")
    kill()
    wait_for(lambda: progress.further(before), f"each partition goes on without {what}", BACK_S)
    log(f"   each of the {PARTITIONS} partitions is being loaded again {time.monotonic() - began:.1f} s after the kill")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
