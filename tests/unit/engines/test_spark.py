"""Spark's JVM and its class archive, with a program in Java's place that never tells its port."""

from pathlib import Path
from threading import Thread

import pytest

from ecom_lite.engines.class_archive import ClassArchive
from ecom_lite.engines.spark import JVM_FLAGS, OPENED, SparkGateway, pyspark_jars
from ecom_lite.errors import EngineError
from tests.runs import DEADLINE_S, wait_for


@pytest.mark.parametrize("called_off", [True, False], ids=["called off", "died"])
def test_only_a_start_that_failed_by_itself_costs_the_archive(tmp_path: Path, called_off: bool) -> None:
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\nexec sleep 60\n" if called_off else "#!/bin/sh\nexit 1\n")
    java.chmod(0o755)
    (tmp_path / "java" / "release").write_text('JAVA_VERSION="21.0.8"\n')
    flags = [*JVM_FLAGS, *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED)]
    archive = ClassArchive(
        "spark", tmp_path / "cds", tmp_path / "list", java=java, flags=flags, classpath=[pyspark_jars() / "*"], min_classes=1
    )
    archive.path.parent.mkdir()
    archive.path.write_bytes(b"an archive")
    gateway = SparkGateway(tmp_path / "work", tmp_path, java=java, jars=[], archive_dir=tmp_path / "cds")
    assert gateway.archive_ready
    raised: list[EngineError] = []

    def start() -> None:
        try:
            gateway.start()
        except EngineError as error:
            raised.append(error)

    thread = Thread(target=start)
    thread.start()
    if called_off:
        wait_for(lambda: gateway.alive, "it has begun")
        gateway.stop()
    thread.join(DEADLINE_S)
    assert raised and not thread.is_alive() and not gateway.alive
    assert gateway.archive_ready is called_off


@pytest.mark.parametrize("master", ["local[2]", "spark://there:7077"])
def test_its_jvm_knows_nothing_of_another_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, master: str) -> None:
    given = {"MASTER": "yarn", "DEPLOY_MODE": "staging", "SPARK_REMOTE": "sc://there", "SPARK_HOME": "/opt/spark"}
    given |= {"SPARK_CONF_DIR": "/etc/spark", "KEPT": "x"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\nenv > {tmp_path}/env\nexit 1\n")
    java.chmod(0o755)
    with pytest.raises(EngineError):
        SparkGateway(tmp_path / "work", tmp_path, java=java, jars=[], master=master).start()
    known = dict(line.partition("=")[::2] for line in (tmp_path / "env").read_text().splitlines())
    kept = {"KEPT"} if master.startswith("local") else {"KEPT", "SPARK_HOME", "SPARK_CONF_DIR"}
    assert given.keys() & known.keys() == kept


def test_what_a_killed_process_has_left_of_an_archive_goes_with_the_next_one(tmp_path: Path) -> None:
    """Up to 190 MB in the user's cache, which nothing else looks at."""
    java = tmp_path / "java"
    java.write_text('#!/bin/sh\nfor word; do case $word in -XX:SharedArchiveFile=*) echo made > "${word#*=}";; esac; done\n')
    java.chmod(0o755)
    (tmp_path / "release").write_text('JAVA_VERSION="21.0.8"\n')
    (tmp_path / "bin").mkdir()
    java = java.rename(tmp_path / "bin" / "java")
    archive = ClassArchive("spark", tmp_path / "cds", tmp_path / "list", java=java, flags=[], classpath=[], min_classes=1)
    (tmp_path / "list").write_text("java/lang/Object\n")
    assert archive.keep_list()
    left = archive.path.with_name(f"{archive.path.name}.99999")
    left.write_bytes(b"half of it")
    assert archive.build(tmp_path / "log")
    assert archive.path.read_text() == "made\n" and not left.exists()
