"""examples/testing, as its authors run it: from the built wheel, in an environment where this tree is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.acceptance.testing_sessions import GONE_S
from tests.runs import wait_for

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "testing"
STEP_S = 180


class Environment:
    """A virtual environment with the wheel. Its dependencies are those of the tests' own, which come behind it on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.python = folder / "venv" / "bin" / "python"
        unwanted = ("ECOM_LITE_", "PYTHON", "PYTEST_", "VIRTUAL_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        self.env = {**inherited, "TMPDIR": str(self.temporary), "UV_OFFLINE": "1"}
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        assert uv, "uv is one of the development tools"
        built = folder / "dist"
        self.must(uv, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", built, ROOT)
        (wheel,) = built.glob("*.whl")
        self.must(uv, "venv", "--python", sys.executable, folder / "venv")
        self.must(uv, "pip", "install", "--python", self.python, "--no-deps", wheel)
        (self.site,) = (folder / "venv" / "lib").glob("python*/site-packages")
        # A path that is named in a .pth file is searched, but what .pth files are there is not: no editable install comes along.
        (self.site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")

    def must(self, *command: str | Path, cwd: Path | None = None) -> str:
        done = subprocess.run(
            command, cwd=cwd or self.folder, env=self.env, capture_output=True, text=True, timeout=STEP_S, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.mark.timeout(3 * STEP_S + int(GONE_S))
def test_the_example_passes_from_the_wheel_without_a_conftest(tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    where = "import sys, ecom_lite.testing.plugin as plugin; print(plugin.__file__); print('\\n'.join(sys.path))"
    plugin, *path = environment.must(environment.python, "-c", where, cwd=project).splitlines()
    assert Path(plugin) == environment.site / "ecom_lite" / "testing" / "plugin.py" and str(ROOT) not in path
    patiently = ("-o", "ecom_lite_timeout=120")  # beside other tests a loader may take longer than a minute
    said = environment.must(environment.python, "-m", "pytest", "-p", "no:cacheprovider", *patiently, cwd=project)
    assert "5 passed" in said and "ecom-lite" in said, said
    assert not list(project.glob("conftest.py"))
    wait_for(lambda: not list(environment.temporary.glob("ecom_lite_*")), "no folder of the session is left", GONE_S)
