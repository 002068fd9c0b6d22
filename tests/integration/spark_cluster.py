"""A Spark cluster on this machine, from pyspark's own jars: a master and workers, each a JVM of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run

from ecom_lite.engines.child import Child
from ecom_lite.engines.ports import LOOPBACK, free_port, wait_port
from ecom_lite.engines.spark import OPENED, pyspark_jars

DEADLINE_S = 60.0
VECTOR = "jdk.incubator.vector"  # the module that Spark asks for when it starts executors
PLACES = ("/usr/lib/jvm/*/bin/java", "/Library/Java/JavaVirtualMachines/*/Contents/Home/bin/java")


def full_jdk() -> Path | None:
    """A Java that executors can run on."""
    homes = [Path(home) / "bin/java" for name in ("ECOM_LITE_TEST_JDK", "JAVA_HOME") if (home := os.environ.get(name))]
    for java in [*homes, *(found for place in PLACES for found in sorted(Path("/").glob(place[1:])))]:
        if java.is_file() and VECTOR in run([java, "--list-modules"], capture_output=True, text=True, check=False).stdout:
            return java.resolve()
    return None


class Cluster:
    """`java` is the workers', and so the executors'."""

    def __init__(self, folder: Path, java: Path) -> None:
        self._folder = folder
        self._java = java
        self._port = free_port(LOOPBACK)
        self.workers: list[Child] = []
        self._master = self._child("master", "master.Master", "--host", LOOPBACK, "--port", self._port, "--webui-port", 0)

    @property
    def url(self) -> str:
        return f"spark://{LOOPBACK}:{self._port}"

    def start(self, workers: int) -> None:
        self._folder.mkdir(parents=True)
        self._master.start()
        wait_port(self._port, LOOPBACK, deadline_s=DEADLINE_S, alive=lambda: self._master.alive, what="Spark's master")
        for number in range(workers):
            place = ("--host", LOOPBACK, "--webui-port", 0, "-c", 1, "-m", "1g", "-d", self._folder / f"work-{number}")
            worker = self._child(f"worker-{number}", "worker.Worker", *place, self.url)
            worker.start()
            self.workers.append(worker)

    def stop(self) -> None:
        for child in (*self.workers, self._master):
            child.kill()

    def _child(self, name: str, main: str, *arguments: object) -> Child:
        opened = [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
        command = [str(self._java), "-Xmx128m", *opened, "-cp", f"{pyspark_jars()}/*", f"org.apache.spark.deploy.{main}"]
        env = {
            **os.environ, "SPARK_HOME": str(pyspark_jars().parent), "SPARK_LOCAL_IP": LOOPBACK, "SPARK_SCALA_VERSION": "2.13",
            "JAVA_HOME": str(self._java.parent.parent),
        }  # fmt: skip
        return Child(f"Spark's {name}", [*command, *map(str, arguments)], log=self._folder / f"{name}.log", env=env)


@contextmanager
def spark_cluster(folder: Path, java: Path, workers: int) -> Iterator[Cluster]:
    cluster = Cluster(folder, java)
    try:
        cluster.start(workers)
        yield cluster
    finally:
        cluster.stop()
