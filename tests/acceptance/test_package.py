"""The package as users get it: a wheel in a fresh virtual environment, without the development tools and away from this tree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite import __version__

ROOT = Path(__file__).resolve().parents[2]
INSTALL_S, COMMAND_S = 600, 120
pytestmark = [pytest.mark.long, pytest.mark.timeout(INSTALL_S + COMMAND_S)]


class Installed:
    """A folder with a virtual environment that holds the wheel and what it depends on, in the locked versions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("ECOM_LITE_", "PYTHON", "VIRTUAL_"))
        }
        self.env = {**inherited, "ECOM_LITE_GRAFANA__ENABLED": "false"}
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        assert uv, "uv is one of the development tools"
        build = ("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder / "dist", ROOT)
        self._must(uv, *build)
        (wheel,) = (folder / "dist").glob("*.whl")
        self._must(uv, "venv", "--python", sys.executable, folder / "venv")
        self._must(uv, "pip", "install", "--python", self.python, "--constraint", ROOT / "requirements.lock", wheel)

    def _must(self, *command: str | Path) -> None:
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=INSTALL_S)
        assert done.returncode == 0, done.stderr

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Its `ecom_lite`, from a folder that is not this tree."""
        command = [str(self.python.with_name("ecom_lite")), *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=COMMAND_S)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    installed = Installed(tmp_path_factory.mktemp("package"))
    try:
        yield installed
    finally:
        installed.run("reset", "--yes", "--data-dir", "data")


def test_it_runs_from_where_it_is_installed_and_without_development_tools(installed: Installed) -> None:
    names = "ecom_lite", "pytest", "hypothesis", "mypy", "hatchling"
    where = f"from importlib.util import find_spec as f; print([s and s.origin for s in map(f, {names!r})])"
    said = subprocess.run(
        [installed.python, "-c", where], cwd=installed.folder, env=installed.env, capture_output=True, text=True
    )
    package = next((installed.folder / "venv" / "lib").glob("python*/site-packages/ecom_lite/__init__.py"))
    assert said.stdout.strip() == str([str(package), None, None, None, None]), said.stderr
    assert installed.run("--version").stdout.strip() == __version__


def test_the_wheel_says_what_it_is_made_of(installed: Installed) -> None:
    (wheel,) = (installed.folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if "/sboms/" in name]
        assert json.loads(archive.read(name))["bomFormat"] == "CycloneDX"


def test_it_generates_and_finds_all_that_it_needs(installed: Installed) -> None:
    made = installed.run("generate", "--events", "100", "--seed", "7", "--start", "2026-01-01T00:00Z")
    assert made.returncode == 0 and len([json.loads(line) for line in made.stdout.splitlines()]) == 100, made.stderr
    said = installed.run("doctor", "--data-dir", "data")
    assert said.returncode == 0 and "PostgreSQL" in said.stdout, said.stdout + said.stderr


def test_a_run_finds_the_bundled_dbt_project_and_closes_the_count(installed: Installed) -> None:
    done = installed.run("run", "--light", "--events", "200", "--rate", "max", "--json", "--data-dir", "data")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["closes"] and summary["sent"] == 200 and summary["marts"] == summary["facts"] > 0


def test_files_of_ones_own_are_written_and_a_run_there_uses_them(installed: Installed) -> None:
    own = installed.folder / "own"
    done = installed.run("init", str(own))
    assert done.returncode == 0, done.stderr
    board = own / "dashboards" / "realtime_operations.json"
    board.write_text(board.read_text("utf-8").replace('"title": "', '"title": "My ', 1), "utf-8")
    settings = ("--config", str(own / "config.toml"), "--data-dir", "data-own")
    done = installed.run("run", "--light", "--events", "200", "--rate", "max", *settings)
    assert done.returncode == 0, done.stderr
    asked = installed.run("sql", "--format", "csv", "SELECT sum(sold) > 0 FROM marts.sold_by_title", "--data-dir", "data-own")
    assert asked.stdout.split()[-1].lower() == "true", asked.stderr
    assert '"My ' in (installed.folder / "data-own" / "dashboards" / board.name).read_text("utf-8")
    told = installed.run("diff", str(own), "--json")
    assert [one["what"] for one in json.loads(told.stdout)] == ["yours"] and told.returncode == 0
    installed.run("reset", "--yes", "--data-dir", "data-own")
