"""The template of a session's cluster in the user's cache: what is kept there, and what is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ecom_lite.engines import pgfiles
from ecom_lite.engines.postgres import PASSWORD_FILE
from ecom_lite.settings.data_dir import SECRETS
from ecom_lite.testing.template import DRAFT_S, KEPT, ClusterTemplate


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterTemplate:
    monkeypatch.setattr(pgfiles, "find_install", lambda: tmp_path)
    monkeypatch.setattr(pgfiles, "version_of", lambda install: "18.4")
    return ClusterTemplate(tmp_path / "cache")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a cluster is that is shut down."""
    home = tmp_path / "session" / "postgres"
    (home / pgfiles.CLUSTER).mkdir(parents=True)
    (home / pgfiles.CLUSTER / "PG_VERSION").write_text("18\n", "utf-8")
    (home / PASSWORD_FILE).write_text("secret", "utf-8")
    (home.parent / SECRETS).write_text("{}", "utf-8")
    return home


def test_a_cluster_that_was_kept_is_copied_whole(template: ClusterTemplate, home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "postgres"
    other.mkdir(parents=True)
    assert not template.copy(other, other)
    template.keep(home, home)
    assert template.copy(other, other)
    assert (other / pgfiles.CLUSTER / "PG_VERSION").read_text("utf-8") == "18\n"
    assert (other / PASSWORD_FILE).read_text("utf-8") == "secret" and (other.parent / SECRETS).is_file()


def test_drafts_of_killed_keepers_and_the_oldest_versions_go(template: ClusterTemplate, home: Path) -> None:
    cache, old = template.path.parent, time.time() - DRAFT_S - 60
    others = [cache / f"postgres-{number:016}" for number in range(KEPT)]
    left, at_work = cache / "postgres-0123456789abcdef.17", cache / "postgres-0123456789abcdef.18"
    for number, folder in enumerate([*others, left, at_work]):
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}", "utf-8")
        if folder != at_work:
            os.utime(folder, (old + number, old + number))
    template.keep(home, home)
    assert {*cache.iterdir()} == {template.path, *others[1:], at_work}
