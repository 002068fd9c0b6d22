"""A run whose Spark is a cluster: two workers of which one dies, and executors on a Java that they cannot run on."""

import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ecom_lite.engines.java import find_java
from tests.integration.spark_cluster import VECTOR, Cluster, full_jdk, spark_cluster
from tests.runs import LightRun, wait_for

READY_S = 150.0
ENDING_S = 60.0  # of a run that was not ready by then
END_S = 180.0
pytestmark = pytest.mark.timeout(600)


class SparkRun(LightRun):
    """With Spark, on a cluster; the shop's clock runs so fast that minutes close while somebody looks."""

    light: Sequence[str] = ()

    def __init__(self, data_dir: Path, cluster: Cluster, *options: str) -> None:
        spark = {"MASTER": cluster.url, "WATERMARK_S": "60", "TRIGGER_S": "1"}
        env = {f"ECOM_LITE_SPARK__{name}": value for name, value in spark.items()}
        env |= {"ECOM_LITE_RUN__READY_TIMEOUT_S": f"{READY_S:g}", "ECOM_LITE_RUN__FAST_START": "false"}
        super().__init__(data_dir, *options, env=env)

    @property
    def batch(self) -> int:
        """Of the stream, the newest."""
        return int((self.state.get("stream") or {}).get("batch", -1))


@pytest.fixture
def jdk() -> Path:
    found = full_jdk()
    if found is None:
        pytest.skip(f"no Java with the module {VECTOR}, which Spark's executors need: install a JDK 17 or newer (openjdk-17-jdk)")
    return found


@pytest.fixture
def cluster(tmp_path: Path, jdk: Path) -> Iterator[Cluster]:
    with spark_cluster(tmp_path / "cluster", jdk, workers=2) as cluster:
        yield cluster


def test_the_count_closes_over_a_worker_that_dies(tmp_path: Path, cluster: Cluster) -> None:
    run = SparkRun(tmp_path / "data", cluster, "--speed", "120", "--json")
    try:
        run.wait_state("running", READY_S)
        killed_at = wait_for(lambda: run.batch if run.batch > 1 else None, "batches are written", END_S)
        cluster.workers[0].kill()
        # On two cores that do other things, too, a micro-batch may take long: the run goes on until there are enough.
        wait_for(lambda: run.batch > killed_at + 2, "batches are written without it", END_S)
        run.signal(signal.SIGINT)
        assert run.wait(END_S) == 128 + signal.SIGINT, run.stderr
        assert run.summary()["closes"], run.stderr
        said = run.verb("check").stdout
        lines = re.search(r"lines in closed minutes = facts\D+([\d,]+)\D+([\d,]+)", said)
        assert lines and lines[1] == lines[2] and lines[1] != "0", said
    finally:
        run.close()


def test_executors_on_a_small_runtime_are_named_with_what_to_do(tmp_path: Path) -> None:
    java = find_java()
    with spark_cluster(tmp_path / "cluster", java, workers=1) as cluster:
        run = SparkRun(tmp_path / "data", cluster, "--events", "10")
        try:
            assert run.wait(READY_S + ENDING_S) == 1, run.stderr
            assert re.search(
                r"executors of spark://\S+ die as soon as .*Command exited with code 1.*full JDK.*JAVA_HOME", run.stderr
            )
            assert "not ready after" not in run.stderr
        finally:
            run.close()


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path, jdk: Path) -> None:
    run = SparkRun(tmp_path / "data", Cluster(tmp_path / "cluster", jdk), "--events", "10")
    try:
        assert run.wait(READY_S + ENDING_S) == 1, run.stderr
        assert "no master answers" in run.stderr and "correct spark.master" in run.stderr
    finally:
        run.close()
