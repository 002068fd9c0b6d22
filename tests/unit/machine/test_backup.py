"""A backup is all of a data folder in one private file, and a restore makes the same folder of it, or none at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import stat
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ecom_lite.engines import pgfiles
from ecom_lite.errors import AlreadyRunning, EcomLiteError, UsageError
from ecom_lite.live.lock import RunLock
from ecom_lite.machine import backup as machine_backup
from ecom_lite.machine.backup import MANIFEST, backup, restore
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.system import Account


def settings_of(folder: Path) -> Settings:
    return load_settings(env={}, flags={"run.data_dir": folder})


@pytest.fixture
def source(tmp_path: Path) -> Settings:
    """With a file in most stores, one in a folder elsewhere, and what belongs into no backup."""
    data = tmp_path / "data"
    files = {
        "kafka/topic-0/0.log": os.urandom(100_000), "lake/raw/date=2026-01-01/a.parquet": b"PAR1", "secrets.json": b"{}",
        "spark/checkpoint/0": b"v1", "logs/load.log": b"said", "state.json": b"{}", "children.json": b"[]",
        "not_ours.txt": b"mine",
    }  # fmt: skip
    for name, content in files.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    (data / "secrets.json").chmod(0o600)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "dbt.duckdb").write_bytes(b"far")
    (data / "dbt").symlink_to(elsewhere)
    (data / "kafka" / "empty").mkdir()
    return settings_of(data)


def tree(folder: Path) -> dict[str, bytes | None]:
    """By name: the content of files, None of folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if path.name != "run.lock"
    }


def test_a_restored_folder_has_every_store_and_nothing_of_the_run_that_was(source: Settings, tmp_path: Path) -> None:
    file = tmp_path / "shop.tar.gz"
    made = backup(source, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and made.packed == file.stat().st_size
    taken, manifest = restore(settings_of(tmp_path / "copy"), file)
    assert (taken.files, taken.size) == (made.files, made.size) and manifest.elsewhere == []
    before, after = tree(source.data_dir), tree(tmp_path / "copy")
    left = {"logs", "logs/load.log", "state.json", "children.json", "not_ours.txt"}
    assert after == {name: content for name, content in before.items() if name not in left} | {
        "dbt": None,
        "dbt/dbt.duckdb": b"far",
    }
    assert stat.S_IMODE((tmp_path / "copy" / "secrets.json").stat().st_mode) == 0o600


def test_neither_is_done_beside_a_run_nor_over_what_is_there(source: Settings, tmp_path: Path) -> None:
    file = tmp_path / "shop.tar.gz"
    with RunLock(source.data_dir, "run"), pytest.raises(AlreadyRunning):
        backup(source, file)
    assert not file.exists()
    backup(source, file)
    content = file.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        backup(source, file)
    with pytest.raises(UsageError, match="holds data"):
        restore(source, file)
    assert file.read_bytes() == content
    with pytest.raises(UsageError, match="holds no data"):
        backup(settings_of(tmp_path / "nothing"), tmp_path / "other.tar.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "elsewhere", "shop.tar.gz"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_of_a_torn_file_nothing_is_restored(source: Settings, tmp_path: Path, share: float) -> None:
    file = tmp_path / "shop.tar.gz"
    backup(source, file)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(EcomLiteError, match="nothing was restored"):
        restore(settings_of(tmp_path / "copy"), file)
    assert tree(tmp_path / "copy") == {}


def small_files(data: Path) -> Settings:
    """So that a tenth of a backup are the heads of its members."""
    (data / "spark").mkdir(parents=True)
    for number in range(20):
        (data / "spark" / str(number)).write_bytes(os.urandom(300))
    return settings_of(data)


def test_a_file_that_is_torn_anywhere_is_refused(tmp_path: Path) -> None:
    """Also where a member ends, or in the head of one: for tarfile that is the end of it all."""
    file = tmp_path / "shop.tar.gz"
    backup(small_files(tmp_path / "data"), file)
    content = file.read_bytes()
    for length in range(0, len(content), 37):
        file.write_bytes(content[:length])
        with pytest.raises(EcomLiteError):
            restore(settings_of(tmp_path / "copy"), file)
        assert tree(tmp_path / "copy") == {}, length


def test_a_file_in_which_a_byte_has_changed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "shop.tar.gz"
    backup(small_files(tmp_path / "data"), file)
    content = file.read_bytes()
    for place in range(50, len(content), 97):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with contextlib.suppress(OSError, EOFError, zlib.error):
            if gzip.decompress(changed) == gzip.decompress(content):
                continue  # the same, packed in another way
        file.write_bytes(changed)
        with pytest.raises(EcomLiteError):
            restore(settings_of(tmp_path / "copy"), file)
        assert tree(tmp_path / "copy") == {}, place


def member(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", link: str = "") -> Callable[[tarfile.TarFile], None]:
    def add(archive: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.size, info.linkname = kind, len(content), link
        archive.addfile(info, io.BytesIO(content))

    return add


HEAD = member(MANIFEST, content=json.dumps({"format": 1, "made": "x", "version": "1", "elsewhere": []}).encode())


@pytest.mark.parametrize(
    "evil",
    [
        member("../escaped", content=b"x"),
        member("/tmp/escaped", content=b"x"),
        member("lake/../../escaped", content=b"x"),
        member("unknown/file", content=b"x"),
        member(".", tarfile.DIRTYPE),
        member("lake", tarfile.SYMTYPE, link="/etc"),
        member("lake/device", tarfile.CHRTYPE),
        member("secrets.json", tarfile.LNKTYPE, link="/etc/passwd"),
    ],
    ids=["up", "absolute", "up-again", "unknown", "itself", "link", "device", "hard-link"],
)
def test_a_file_with_what_no_backup_has_is_refused_and_nothing_escapes(
    tmp_path: Path, evil: Callable[[tarfile.TarFile], None]
) -> None:
    file = tmp_path / "evil.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        HEAD(archive)
        member("spark", tarfile.DIRTYPE)(archive)
        evil(archive)
    with pytest.raises(EcomLiteError, match="nothing was restored"):
        restore(settings_of(tmp_path / "copy"), file)
    assert tree(tmp_path / "copy") == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "evil.tar.gz"]


def test_a_cluster_elsewhere_goes_too_when_the_restore_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of root's, where the server's account cannot reach the data folder."""
    elsewhere, file = tmp_path / "var", tmp_path / "shop.tar.gz"
    elsewhere.mkdir()
    monkeypatch.setattr(pgfiles, "VAR_LIB", elsewhere)
    monkeypatch.setattr(pgfiles, "reaches", lambda account, folder: False)
    monkeypatch.setattr(machine_backup, "account_for", lambda user: Account(user, os.geteuid(), os.getegid()))
    with tarfile.open(file, "w:gz") as archive:
        HEAD(archive)
        for folder in ("postgres", "postgres/cluster"):
            member(folder, tarfile.DIRTYPE)(archive)
        member("postgres/cluster/PG_VERSION", content=b"18")(archive)
        member("unknown/file", content=b"x")(archive)
    with pytest.raises(EcomLiteError, match="nothing was restored"):
        restore(settings_of(tmp_path / "copy"), file)
    assert list(elsewhere.iterdir()) == [] and tree(tmp_path / "copy") == {}


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (member("data.csv", content=b"1"), "was not made by"),
        (member(MANIFEST, content=b"[]"), "was not made by"),
        (
            member(MANIFEST, content=b'{"format": 2, "made": "", "version": "9", "elsewhere": []}'),
            "ecom_lite 9, in a form unknown",
        ),
    ],
    ids=["other", "odd", "newer"],
)
def test_what_is_no_backup_of_ours_is_said(tmp_path: Path, first: Callable[[tarfile.TarFile], None], said: str) -> None:
    file = tmp_path / "other.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        first(archive)
    with pytest.raises(UsageError, match=said):
        restore(settings_of(tmp_path / "copy"), file)
    file.write_bytes(b"no archive at all")
    with pytest.raises(EcomLiteError, match="no whole backup"):
        restore(settings_of(tmp_path / "copy"), file)


def test_servers_elsewhere_are_named(source: Settings, tmp_path: Path) -> None:
    flags = {"run.data_dir": source.data_dir, "kafka.bootstrap": "broker:9092", "postgres.url": "postgresql://u:geheim@db/x"}
    backup(load_settings(env={}, flags=flags), tmp_path / "shop.tar.gz")
    _, manifest = restore(settings_of(tmp_path / "copy"), tmp_path / "shop.tar.gz")
    assert manifest.elsewhere == ["Kafka", "PostgreSQL"]
    with tarfile.open(tmp_path / "shop.tar.gz") as archive:
        content = archive.extractfile(MANIFEST)
        assert content is not None and b"geheim" not in content.read()


def test_of_a_wrong_file_nobody_is_told_to_delete_data_first(source: Settings, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("# no backup")
    with pytest.raises(EcomLiteError, match="no whole backup"):
        restore(source, file)
