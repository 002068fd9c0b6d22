"""Settings that were found right before: a question that is asked by the very same ones need not validate them again."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from .. import __version__
from .data_dir import SETTINGS_SEEN, write_private
from .paths import absolute

ENV_PREFIX: Final = "ECOM_LITE_"
CONFIG_FILE: Final = "config.toml"
DEFAULT: Final = ".ecom_lite"
_NAMED: Final = re.compile(rb"^[^#\n]*data_dir", re.MULTILINE)


def seen_data_dir(config: Path | None, data_dir: Path | None, env: Mapping[str, str] = os.environ) -> Path | None:
    """The data folder, where it holds that these settings lead to it; None where they must be read."""
    guessed = _guess(config, data_dir, env)
    if guessed is None:
        return None
    try:
        kept = json.loads((guessed / SETTINGS_SEEN).read_bytes())
        return guessed if kept == {"settings": _digest(config, data_dir, env), "data_dir": str(guessed)} else None
    except (OSError, ValueError):
        return None


def remember(config: Path | None, option: Path | None, data_dir: Path, env: Mapping[str, str] = os.environ) -> None:
    """These settings are right, and lead to `data_dir`; `option` is what was given for it on the command line."""
    kept = {"settings": _digest(config, option, env), "data_dir": str(data_dir)}
    try:
        write_private(data_dir / SETTINGS_SEEN, json.dumps(kept))
    except OSError:
        pass  # the next question takes longer, and that is all


def _digest(config: Path | None, data_dir: Path | None, env: Mapping[str, str]) -> str:
    """Of all that decides: the program, where we are, the file, the variables, the options."""
    found = hashlib.sha256()
    for part in _parts(config, data_dir, env):
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


def _parts(config: Path | None, data_dir: Path | None, env: Mapping[str, str]) -> Iterator[bytes]:
    yield __version__.encode()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        yield f"{file.name} {file.stat().st_mtime_ns}".encode()
    yield os.fsencode(Path.cwd())
    yield os.fsencode(env.get("HOME", ""))
    path = config or Path(CONFIG_FILE)
    yield os.fsencode(path) + (b"+" if path.is_file() else b"-")
    yield path.read_bytes() if path.is_file() else b""
    yield b"" if data_dir is None else b"+" + os.fsencode(data_dir)
    for name in sorted(env):
        if name.startswith(ENV_PREFIX):
            yield os.fsencode(f"{name}={env[name]}")


def _guess(config: Path | None, data_dir: Path | None, env: Mapping[str, str]) -> Path | None:
    """No more than where to look: what is there decides."""
    given = str(data_dir or env.get(f"{ENV_PREFIX}RUN__DATA_DIR", ""))
    path = config or Path(CONFIG_FILE)
    try:
        text = path.read_bytes() if config is not None or path.is_file() else b""
    except OSError:
        return None
    if not given and _NAMED.search(text):
        import tomllib

        try:
            given = tomllib.loads(text.decode())["run"]["data_dir"]
        except (ValueError, KeyError, TypeError):
            return None
    try:
        return absolute(Path(given or DEFAULT)) if isinstance(given, str) else None
    except ValueError:
        return None
