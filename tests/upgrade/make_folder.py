"""`python -m tests.upgrade.make_folder COMMIT`: a data folder of that version, packed into tests/upgrade/kept.

Checks the commit out aside and runs it by this interpreter: its packages must be those of the commit, or do for it. Takes a
minute. Run it for a commit of the last release when a new one is made, and delete the oldest folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from ecom_lite.engines.pgfiles import remove_cluster
from ecom_lite.settings.data_dir import POSTGRES

from .folders import KEPT, pack

ROOT: Final = Path(__file__).parents[2]
SEED, EVENTS = 17, 3_000


def main() -> int:
    commit = _git("rev-parse", "--short=7", sys.argv[1])
    with tempfile.TemporaryDirectory() as aside:
        tree, folder = Path(aside) / "tree", Path(aside) / "data"
        _git("worktree", "add", "--detach", str(tree), commit)
        try:
            _run(tree, folder, "run", "--light", "--seed", str(SEED), "--events", str(EVENTS), "--rate", "max")
            told = json.loads(_run(tree, folder, "check", "--fingerprint", "--json"))
            story = {
                "commit": commit,
                "of": _git("show", "-s", "--format=%cs", commit),
                "seed": SEED,
                "events": EVENTS,
                "fingerprint": told["fingerprint"],
                "facts": told["rows"]["fact_sales"],
            }
            KEPT.mkdir(exist_ok=True)
            target = KEPT / f"{story['of']}-{commit}.tar.xz"
            pack(folder, story, target)
            print(f"{target}: {target.stat().st_size / 1000:.0f} KB")
        finally:
            remove_cluster(folder / POSTGRES)
            _git("worktree", "remove", "--force", str(tree))
    return 0


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def _run(tree: Path, folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-P", "-m", "ecom_lite", *arguments, "--data-dir", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(tree), "ECOM_LITE_GRAFANA__ENABLED": "false"}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=tree, env=environment).stdout


if __name__ == "__main__":
    sys.exit(main())
