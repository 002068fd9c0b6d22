"""Kafka and PostgreSQL of our own: they start anywhere, survive a SIGKILL with port and data, and leave nothing running."""

import os
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaProducer

from ecom_lite.engines import pgfiles
from ecom_lite.engines.child import ChildRegistry
from ecom_lite.engines.jars import JarCache
from ecom_lite.engines.java import find_java, java_version
from ecom_lite.engines.kafka import KafkaServer
from ecom_lite.engines.ports import free_port
from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.errors import EngineError, PortTaken
from ecom_lite.supervise.adapters import EngineService
from ecom_lite.system import account_for
from tests.integration.topics import records_of
from tests.running import Running
from tests.runs import START_S, wait_for, wait_until_gone

pytestmark = pytest.mark.timeout(600)  # servers are started again and again, and a class archive is made at the lowest priority
RECOVERY_S = 8
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another account")


def sigkill(server: KafkaServer | PostgresServer) -> None:
    """What the kernel's memory killer does: only the main process, no word to us."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not server.alive, "the server is gone")


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A folder that other accounts reach, which pytest's are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(params=["with a space", "comma, too", "long" * 30])
def folder(request: pytest.FixtureRequest, open_tmp: Path) -> Path:
    return open_tmp / str(request.param)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path / "postgres", tmp_path / "logs", registry=ChildRegistry(tmp_path / "children.json"))
    yield server
    server.remove()


def make_kafka(folder: Path, **options: object) -> KafkaServer:
    jars = JarCache()
    try:
        classpath = jars.fetch("kafka")
    except EngineError as error:
        pytest.skip(f"no Kafka jars: {error}")
    return KafkaServer(folder / "kafka", folder / "logs", java=find_java(), classpath=classpath, **options)  # type: ignore[arg-type]


def test_postgres_keeps_port_and_data_through_stop_and_sigkill(folder: Path) -> None:
    server = PostgresServer(folder / "pg", folder / "logs")
    try:
        server.stop()  # before start
        server.start(START_S)
        port, password = server.port, server.superuser_password
        with psycopg.connect(server.dsn_superuser) as link:
            link.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")
        open_session = psycopg.connect(server.dsn_superuser)
        sigkill(server)
        server.start(START_S)
        open_session.close()
        assert server.stop(START_S) is True
        assert server.stop(START_S) is True
        assert not server.alive
        server = PostgresServer(folder / "pg", folder / "logs")  # the next run
        server.start(START_S)
        assert (server.port, server.superuser_password) == (port, password)
        with psycopg.connect(server.dsn_superuser) as link:
            assert link.execute("SELECT count(*) FROM t").fetchone() == (1000,)
            assert link.execute("SELECT upper('ä'), current_setting('server_encoding')").fetchone() == ("Ä", "UTF8")
        if server.socket_dir is not None:
            psycopg.connect(server.dsn_superuser, host=str(server.socket_dir)).close()
    finally:
        server.remove()
    assert not (folder / "pg").exists()


def test_postgres_secrets_and_reach(postgres: PostgresServer) -> None:
    postgres.start(START_S)
    mode = (postgres.data_dir / "superuser.password").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres.dsn_superuser, password="wrong")
    assert postgres.pid is not None
    listening = [c.laddr.ip for c in psutil.Process(postgres.pid).net_connections("tcp") if c.status == "LISTEN"]
    assert set(listening) == {"127.0.0.1"}


def test_postgres_kill_leaves_no_shared_memory(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecom_lite.engines.postgres.QUIT_GRACE_S", START_S)  # hundredths of a second, where it is not busy
    postgres.start(START_S)
    assert postgres.pid is not None
    shared = [Path(each.path) for each in psutil.Process(postgres.pid).memory_maps() if each.path.startswith("/dev/shm/")]
    assert shared and all(each.exists() for each in shared)
    postgres.kill()
    assert not [each for each in shared if each.exists()]


def test_postgres_kill_leaves_no_backend(postgres: PostgresServer) -> None:
    postgres.start(START_S)
    assert postgres.pid is not None
    family = psutil.Process(postgres.pid).children(recursive=True)
    assert family
    postgres.kill()
    postgres.kill()
    wait_until_gone(family)


def test_a_recovery_that_takes_longer_than_a_start_may_is_waited_for(postgres: PostgresServer, tmp_path: Path) -> None:
    """One that is cut off begins anew: PostgreSQL would never come up again. Here an archive that is asked takes its time."""
    postgres.start(START_S)
    cluster = (postgres.data_dir / "cluster").resolve()
    postgres.stop(START_S)
    (cluster / "recovery.signal").touch()
    slow = {"restore_command": f"mkdir asked 2>/dev/null && sleep {RECOVERY_S}; false", "hot_standby": "off"}
    again = PostgresServer(postgres.data_dir, tmp_path / "logs", settings=slow)
    try:
        again.start(RECOVERY_S / 2)
        assert (cluster / "asked").is_dir()
    finally:
        again.kill()


@root_only
def test_postgres_below_a_closed_parent_as_root(tmp_path: Path) -> None:
    closed, moved = tmp_path / "closed", tmp_path / "moved"
    closed.mkdir(mode=0o700)
    first = PostgresServer(closed / "pg", closed / "logs")
    second = PostgresServer(moved / "pg", moved / "logs")
    third = PostgresServer(closed / "pg", closed / "logs")
    try:
        first.start(START_S)
        home = (closed / "pg" / "cluster").readlink().parent
        assert home.parent == pgfiles.VAR_LIB and home.stat().st_uid == 0
        first.stop()
        shutil.move(closed, moved)  # the link goes with the folder, and a new one here is another cluster
        second.start(START_S)
        third.start(START_S)
        assert (closed / "pg" / "cluster").readlink().parent != home
        second.remove()
        assert not home.exists()
    finally:
        for server in (first, second, third):
            server.remove()


@root_only
def test_the_program_is_copied_once_when_it_cannot_be_reached(
    tmp_path: Path, open_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = pgfiles.find_install()
    closed = tmp_path / pgfiles.WHEEL / pgfiles.INSTALL  # pytest's own folder is closed to others
    shutil.copytree(wheel, closed, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = f"{pgfiles.WHEEL}.libs"
    if wheel.parent.with_name(libraries).is_dir():
        shutil.copytree(wheel.parent.with_name(libraries), tmp_path / libraries, symlinks=True)
    monkeypatch.setattr(pgfiles, "find_install", lambda: closed)
    monkeypatch.setattr(pgfiles, "VAR_CACHE", open_tmp / "cache")
    account = account_for("nobody")
    server = PostgresServer(tmp_path / "data", tmp_path / "logs")
    try:
        server.start(START_S)
        assert server.pid is not None
        folder = open_tmp / "cache" / f"postgresql-{pgfiles.version_of(closed)}"
        copy = folder / pgfiles.WHEEL / pgfiles.INSTALL
        assert psutil.Process(server.pid).exe() == str(copy / "bin" / "postgres")
        made = (copy / "bin" / "postgres").stat()
        assert pgfiles.reachable_install(closed, account) == copy
        assert (copy / "bin" / "postgres").stat().st_ino == made.st_ino
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    finally:
        server.remove()


@root_only
def test_the_program_is_used_where_it_is_when_only_a_link_to_it_cannot_be_reached(tmp_path: Path) -> None:
    account, wheel = account_for("nobody"), pgfiles.find_install()
    tmp_path.chmod(0o700)
    (tmp_path / "link").symlink_to(wheel)
    assert account is not None and pgfiles.reachable_install(tmp_path / "link", account) == pgfiles.reachable_install(
        wheel, account
    )


def test_postgres_of_another_version(postgres: PostgresServer) -> None:
    postgres.start(START_S)
    postgres.stop()
    version = (postgres.data_dir / "cluster").resolve() / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(EngineError, match="made by PostgreSQL 15"):
        postgres.start(START_S)
    version.write_text("18\n")


def test_postgres_with_a_pid_file_that_names_another_program(postgres: PostgresServer) -> None:
    postgres.start(START_S)
    sigkill(postgres)
    pid_file = (postgres.data_dir / "cluster").resolve() / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    postgres.start(START_S)
    assert postgres.alive


def test_postgres_says_why_it_died(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "pg", tmp_path / "logs", settings={"shared_buffers": "nonsense"})
    try:
        with pytest.raises(EngineError, match="shared_buffers"):
            server.start(START_S)
        assert not server.alive
    finally:
        server.remove()


def test_postgres_with_a_lost_password(postgres: PostgresServer) -> None:
    postgres.start(START_S)
    postgres.stop()
    (postgres.data_dir / "superuser.password").write_text("other")
    with pytest.raises(EngineError, match="refuses the superuser password"):
        postgres.start(START_S)
    (postgres.data_dir / "superuser.password").unlink()
    with pytest.raises(EngineError, match="cannot be read"):
        postgres.start(START_S)
    assert not postgres.alive


def test_a_taken_port_is_refused(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.start(START_S)
    other = PostgresServer(tmp_path / "other", tmp_path / "logs2", port=postgres.port)
    try:
        with pytest.raises(PortTaken, match=str(postgres.pid)):
            other.start(START_S)
    finally:
        other.remove()


def produce(server: KafkaServer, topic: str, count: int) -> None:
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=server.bootstrap)
    for future in [producer.send(topic, str(n).encode()) for n in range(count)]:
        future.get(timeout=START_S)
    producer.close()


def consumed(server: KafkaServer, topic: str) -> list[int]:
    return sorted(int(record.value) for record in records_of({"bootstrap_servers": server.bootstrap}, topic))


def test_kafka_keeps_port_and_data_through_stop_and_sigkill(tmp_path: Path) -> None:
    from kafka import KafkaAdminClient

    folder = tmp_path / "a path, with space"
    server = make_kafka(folder, registry=ChildRegistry(folder / "children.json"))
    try:
        server.stop()  # before start
        server.start(START_S)
        bootstrap = server.bootstrap
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.create_topics({"t": {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)
        admin.close()
        produce(server, "t", 100)
        sigkill(server)
        server.start(START_S)
        assert server.bootstrap == bootstrap
        produce(server, "t", 100)
        assert consumed(server, "t") == sorted([*range(100), *range(100)])
        assert server.stop(START_S) is True
        assert server.stop(START_S) is True
        server = make_kafka(folder)  # the next run
        server.start(START_S)
        assert server.bootstrap == bootstrap
        assert len(consumed(server, "t")) == 200
    finally:
        server.kill()
    assert not server.alive


@pytest.mark.parametrize("kind", ["kafka", "postgres"])
def test_stop_during_start(kind: str, tmp_path: Path) -> None:
    server = make_kafka(tmp_path) if kind == "kafka" else PostgresServer(tmp_path / "pg", tmp_path / "logs")
    raised: list[EngineError] = []

    def start() -> None:
        try:
            server.start(START_S)
        except EngineError as error:
            raised.append(error)

    starter = threading.Thread(target=start)
    starter.start()
    wait_for(server.log.exists, "it is at work: formatting, or making the cluster")
    server.stop()
    starter.join(START_S)
    assert raised and not server.alive and not starter.is_alive()
    if isinstance(server, PostgresServer):
        server.remove()


def test_kafka_says_why_it_died(tmp_path: Path) -> None:
    server = make_kafka(tmp_path, jvm_args=["-XX:NoSuchOption=1"])
    with pytest.raises(EngineError, match="NoSuchOption"):
        server.start(START_S)
    assert not server.alive
    assert not (tmp_path / "kafka" / "storage").exists()


def test_kafka_starts_from_a_class_archive_that_is_made_from_the_list_of_an_earlier_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archives = tmp_path / "archives"
    first = make_kafka(tmp_path, archive_dir=archives)
    assert not first.build_archive(), "nothing to make it from"
    try:
        first.start(START_S)
        first.kill()
        assert not first.archive_wanted, "a killed run leaves half a list"
        first.start(START_S)
        first.stop(START_S)  # one that is ended by force leaves no list, either
        assert first.archive_wanted and not first.archive_ready
        assert first.build_archive() and first.build_archive()
        assert sorted(path.suffix for path in archives.iterdir()) == [".jsa", ".storage"]
        assert not make_kafka(tmp_path, archive_dir=archives, jvm_args=["-Xss1m"]).archive_ready, "of other flags"
        monkeypatch.setenv("JDK_JAVA_OPTIONS", "-Xlog:class+load:file=loaded.txt")
        first.start(START_S)
        loaded = (first.data_dir / "loaded.txt").read_text()
        assert loaded.count("source: shared objects file") > 5_000, "Kafka's own, not only those of Java"
        assert not first.archive_wanted
    finally:
        first.kill()


def test_a_class_archive_is_made_beside_a_kafka_that_runs_and_half_a_one_is_none(tmp_path: Path) -> None:
    server, stop = make_kafka(tmp_path, archive_dir=tmp_path / "archives"), threading.Event()
    try:
        server.start(START_S)
        assert server.archive_missing
        wait_for(server.list_classes, "the list of its classes")
        stop.set()
        assert not server.build_archive(stop) and not server.archive_ready
        assert server.build_archive() and server.alive and not server.archive_missing
        assert not list((tmp_path / "archives").glob("*.jsa.*")), "no draft stays"
    finally:
        server.stop()


def test_a_second_storage_is_a_copy_with_a_cluster_id_of_its_own_and_a_broken_template_is_made_anew(tmp_path: Path) -> None:
    archives, ids = tmp_path / "archives", []

    def cluster_of(folder: Path) -> str:
        server = make_kafka(folder, archive_dir=archives)
        try:
            server.start(START_S)
            admin = KafkaAdminClient(bootstrap_servers=server.bootstrap)
            admin.create_topics({"t": {"num_partitions": 1, "replication_factor": 1}})
            found = str(admin.describe_cluster()["cluster_id"])
            admin.close()
            return found
        finally:
            server.stop()

    ids.append(cluster_of(tmp_path / "one"))
    ids.append(cluster_of(tmp_path / "two"))
    (template,) = archives.glob("*.storage")
    made = {file.name for file in template.rglob("*") if file.is_file()}
    (template / "bootstrap.checkpoint").write_bytes(b"torn")
    (template / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=77\n")
    ids.append(cluster_of(tmp_path / "three"))
    assert len(set(ids)) == 3
    (template,) = archives.glob("*.storage")
    assert {file.name for file in template.rglob("*") if file.is_file()} == made
    ids.append(cluster_of(tmp_path / "four"))
    assert len(set(ids)) == 4
    formatted = [
        name for name in ("one", "two", "three", "four") if "Formatting" in (tmp_path / name / "logs/kafka.log").read_text()
    ]
    assert formatted == ["one", "three"]


def test_a_killed_kafka_leaves_nothing_in_the_systems_temporary_folder_and_the_next_start_nothing_in_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacked(folder: Path) -> set[str]:
        return {file.name for file in folder.glob("liblz4*")}

    system, server = tmp_path / "system", make_kafka(tmp_path)  # other programs unpack theirs into the one that all share
    system.mkdir()
    monkeypatch.setenv("JDK_JAVA_OPTIONS", f"-Djava.io.tmpdir={system}")
    try:
        server.start(START_S)
        producer = KafkaProducer(bootstrap_servers=server.bootstrap, compression_type="lz4")
        admin = KafkaAdminClient(bootstrap_servers=server.bootstrap)
        admin.create_topics({"t": {"num_partitions": 1, "replication_factor": 1}})
        producer.send("t", b"x" * 10_000).get(timeout=START_S)
        producer.close(timeout=1)
        admin.close()
        own = server.data_dir / "tmp"
        left = unpacked(own)
        assert left, "the broker unpacks its native library for what is compressed"
        sigkill(server)
        assert unpacked(own) == left
        server.start(START_S)
        assert not unpacked(own) & left
        assert not unpacked(system)
    finally:
        server.kill()


def test_kafka_on_a_taken_port(tmp_path: Path, postgres: PostgresServer) -> None:
    postgres.start(START_S)
    with pytest.raises(PortTaken, match="Kafka"):
        make_kafka(tmp_path, port=postgres.port).start(START_S)


def test_java_is_found_and_a_wrong_setting_is_named(tmp_path: Path) -> None:
    java = find_java()
    assert java_version(java) >= (17,)
    assert find_java(java.parent.parent) == java  # a Java home will do
    with pytest.raises(EngineError, match="nothing-here"):
        find_java(tmp_path / "nothing-here")
    old = tmp_path / "old" / "bin" / "java"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    old.chmod(0o755)
    assert java_version(old)[0] == 8
    with pytest.raises(EngineError, match="17 or newer"):
        find_java(old)


def test_ports_set_by_the_user_are_used(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "pg", tmp_path / "logs", port=(port := free_port()))
    try:
        server.start(START_S)
        assert server.port == port
    finally:
        server.remove()


def test_the_log_of_a_server_that_complains_without_end_is_kept_within_its_bound(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 50_000
    monkeypatch.setattr("ecom_lite.engines.child.LIMIT_BYTES", limit)
    log = postgres_server.log
    older = log.with_name(log.name + ".1")

    def complain(times: int) -> None:
        with psycopg.connect(postgres_server.dsn_superuser, autocommit=True) as link:
            for number in range(times):
                with suppress(psycopg.errors.DivisionByZero):
                    link.execute(f"SELECT 1 / 0 /* complaint {number} */".encode())

    with Running(EngineService("postgres", postgres_server).run):
        for _ in range(10):
            complain(500)  # some 65,000 bytes
            wait_for(lambda: log.stat().st_size < limit, lambda: f"{log.stat().st_size} bytes are cut")
            assert older.stat().st_size <= limit + 80_000  # what was left of the round before, and this one
    begin = log.stat().st_size
    complain(1)
    assert "complaint 0" in log.read_text()[begin:] and "\0" not in log.read_text(), "the server goes on behind the cut"
