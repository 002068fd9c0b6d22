"""Jars come from anywhere, but are used only when their hash is the lock's."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ecom_lite.engines import download
from ecom_lite.engines.jars import Jar, JarCache, load_lock
from ecom_lite.engines.ports import free_port
from ecom_lite.errors import JarError
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.show import describe

BODY = bytes(range(256)) * 2000


def make_jar(name: str, body: bytes = BODY) -> Jar:
    return Jar("org.example", name, "1.0", hashlib.sha256(body).hexdigest())


def write_lock(folder: Path, *jars: Jar) -> Path:
    lock = folder / "test.lock"
    lines = []
    for jar in jars:
        lines.append(f'[[g]]\ngroup="{jar.group}"\nartifact="{jar.artifact}"\nversion="{jar.version}"\nsha256="{jar.sha256}"\n')
    lock.write_text("\n".join(lines))
    return lock


class Mirror(ThreadingHTTPServer):
    """A repository on loopback that records what it was asked for and can misbehave."""

    files: dict[str, bytes]
    ranges: list[str | None]
    cut_once_at: int | None = None
    fail_first: int = 0
    ignore_range = False


class Handler(BaseHTTPRequestHandler):
    server: Mirror
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        mirror = self.server
        asked = self.headers.get("Range")
        mirror.ranges.append(asked)
        self.close_connection = True
        if mirror.fail_first > 0:
            mirror.fail_first -= 1
            self.send_error(503)
            return
        body = mirror.files.get(self.path.lstrip("/"))
        if body is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not mirror.ignore_range else 0
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = len(body)
        if mirror.cut_once_at is not None:
            end, mirror.cut_once_at = mirror.cut_once_at, None
        self.wfile.write(body[start:end])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setattr(download, "BACKOFF_S", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Mirror(("127.0.0.1", 0), Handler)
    server.files, server.ranges = {}, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def cache_for(tmp_path: Path, mirror: Mirror | None, *jars: Jar, offline: Path | None = None) -> JarCache:
    url = f"http://127.0.0.1:{mirror.server_port}/maven" if mirror else None
    return JarCache(tmp_path / "cache", url, offline, lock=write_lock(tmp_path, *jars), local_maven=tmp_path / "no-m2")


def test_the_committed_lock() -> None:
    groups = load_lock()
    assert {name: len(jars) for name, jars in groups.items()} == {"kafka": 46, "spark": 4}
    versions = {jar.artifact: jar.version for jar in groups["kafka"]}
    # All of Kafka is one version: jgo once mixed kafka-clients 3.9.1 into a 4.3.1 broker.
    assert {version for name, version in versions.items() if name.startswith("kafka")} == {"4.3.1"}
    assert all(len(jar.sha256) == 64 for jars in groups.values() for jar in jars)


def test_fetch_from_a_mirror_in_parallel_with_progress(tmp_path: Path, mirror: Mirror) -> None:
    jars = [make_jar(f"jar{n}") for n in range(6)]
    mirror.files = {f"maven/{jar.path}": BODY for jar in jars}
    cache = cache_for(tmp_path, mirror, *jars)
    seen: dict[str, tuple[int, int]] = {}
    assert len(cache.missing("g")) == 6
    files = cache.fetch("g", lambda name, done, total: seen.update({name: (done, total)}))
    assert [file.read_bytes() for file in files] == [BODY] * 6
    assert seen == {jar.filename: (len(BODY), len(BODY)) for jar in jars}
    assert cache.classpath("g") == files
    asked = len(mirror.ranges)
    assert cache.fetch("g") == files
    assert len(mirror.ranges) == asked  # nothing missing: no request
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_the_login_of_a_mirror_is_in_no_message(tmp_path: Path, mirror: Mirror) -> None:
    lock = write_lock(tmp_path, make_jar("jar"))
    url = f"http://me:hush@127.0.0.1:{mirror.server_port}/maven"
    with pytest.raises(JarError, match="404") as caught:
        JarCache(tmp_path / "cache", url, lock=lock, local_maven=tmp_path / "no-m2").fetch("g")
    assert "hush" not in str(caught.value) and f"http://***@127.0.0.1:{mirror.server_port}/maven/" in str(caught.value)
    assert caught.value.__cause__ is None
    with pytest.raises(JarError, match=r"ftp://\*\*\*@there/maven") as refused:
        JarCache(tmp_path / "cache", "ftp://me:hush@there/maven", lock=lock)
    assert "hush" not in str(refused.value)
    shown = {one.name: one.value for one in describe(load_settings(env={}, flags={"jars.mirror": url}))}
    assert "hush" not in shown["jars.mirror"]


def test_a_wrong_hash_is_refused_and_deleted(tmp_path: Path, mirror: Mirror) -> None:
    jar = make_jar("jar")
    mirror.files = {f"maven/{jar.path}": b"something else"}
    cache = cache_for(tmp_path, mirror, jar)
    with pytest.raises(JarError) as caught:
        cache.fetch("g")
    got = hashlib.sha256(b"something else").hexdigest()
    assert all(part in str(caught.value) for part in ("org.example:jar:1.0", jar.sha256, got))
    assert [path for path in (tmp_path / "cache").rglob("*jar*") if path.is_file()] == []


def test_an_interrupted_download_is_resumed(tmp_path: Path, mirror: Mirror) -> None:
    jar = make_jar("jar")
    mirror.files = {f"maven/{jar.path}": BODY}
    mirror.cut_once_at = 100_000
    mirror.fail_first = 1
    cache_for(tmp_path, mirror, jar).fetch("g")
    assert mirror.ranges[:2] == [None, None]  # 503, then the cut
    assert mirror.ranges[2] == "bytes=65536-"  # whole blocks are kept


@pytest.mark.parametrize("part", [BODY[:1000], b"x" * 1000, BODY, BODY + b"more"])
@pytest.mark.parametrize("ignore_range", [False, True])
def test_any_old_part_ends_well(tmp_path: Path, mirror: Mirror, part: bytes, ignore_range: bool) -> None:
    jar = make_jar("jar")
    mirror.files = {f"maven/{jar.path}": BODY}
    mirror.ignore_range = ignore_range
    cache = cache_for(tmp_path, mirror, jar)
    file = cache.root / (jar.path + ".part")
    file.parent.mkdir(parents=True)
    file.write_bytes(part)
    assert cache.fetch("g")[0].read_bytes() == BODY


def test_a_missing_file_and_a_closed_port_are_clear_errors(tmp_path: Path, mirror: Mirror) -> None:
    jar = make_jar("jar")
    with pytest.raises(JarError, match="404") as caught:
        cache_for(tmp_path, mirror, jar).fetch("g")
    assert "org.example:jar:1.0" in str(caught.value)
    closed = JarCache(
        tmp_path / "c2", f"http://127.0.0.1:{free_port()}", lock=tmp_path / "test.lock", local_maven=tmp_path / "no"
    )
    with pytest.raises(JarError, match=r"Cannot fetch jar org\.example:jar:1\.0.*mirror"):
        closed.fetch("g")


@pytest.mark.parametrize("layout", ["flat", "maven"])
def test_an_offline_folder(tmp_path: Path, layout: str) -> None:
    jar = make_jar("jar")
    offline = tmp_path / "offline"
    file = offline / (jar.filename if layout == "flat" else jar.path)
    file.parent.mkdir(parents=True)
    file.write_bytes(BODY)
    assert cache_for(tmp_path, None, jar, offline=offline).fetch("g")[0].read_bytes() == BODY


def test_an_offline_folder_never_uses_the_network(tmp_path: Path, mirror: Mirror) -> None:
    good, bad = make_jar("good"), make_jar("bad")
    offline = tmp_path / "offline"
    offline.mkdir()
    (offline / bad.filename).write_bytes(b"wrong")
    mirror.files = {f"maven/{good.path}": BODY, f"maven/{bad.path}": BODY}
    with pytest.raises(JarError, match="offline folder"):
        cache_for(tmp_path, mirror, good, bad, offline=offline).fetch("g")
    with pytest.raises(JarError, match="was refused"):
        JarCache(tmp_path / "c2", None, offline, lock=write_lock(tmp_path / "offline", bad)).fetch("g")
    assert mirror.ranges == []


def test_the_local_maven_repository_is_used_when_its_hash_is_right(tmp_path: Path, mirror: Mirror) -> None:
    right, wrong = make_jar("right"), make_jar("wrong")
    maven = tmp_path / "m2"
    for jar, body in ((right, BODY), (wrong, b"other")):
        (maven / jar.path).parent.mkdir(parents=True)
        (maven / jar.path).write_bytes(body)
    mirror.files = {f"maven/{wrong.path}": BODY}
    url = f"http://127.0.0.1:{mirror.server_port}/maven/"
    JarCache(tmp_path / "cache", url, lock=write_lock(tmp_path, right, wrong), local_maven=maven).fetch("g")
    assert len(mirror.ranges) == 1


def test_a_changed_jar_in_the_cache_is_not_used(tmp_path: Path, mirror: Mirror) -> None:
    jar = make_jar("jar")
    mirror.files = {f"maven/{jar.path}": BODY}
    cache = cache_for(tmp_path, mirror, jar)
    with pytest.raises(JarError, match="is not in the jar cache"):
        cache.classpath("g")
    (file,) = cache.fetch("g")
    file.write_bytes(b"changed")
    with pytest.raises(JarError, match="expected"):
        cache.classpath("g")
    assert cache.fetch("g")[0].read_bytes() == BODY


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(JarError, match="not an http"):
        JarCache(tmp_path, "ftp://host")
    with pytest.raises(JarError, match="no group"):
        JarCache(tmp_path).missing("nonsense")
    (tmp_path / "bad.lock").write_text("[[")
    with pytest.raises(JarError, match="cannot be read"):
        JarCache(tmp_path, lock=tmp_path / "bad.lock").missing("kafka")
