"""psql or pgcli with the reader's login: found, and handed what it needs by its environment, never on its command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ..engines.pgfiles import find_install
from ..errors import EcomLiteError, EngineError, UsageError
from ..warehouse.connect import CONNECT_TIMEOUT_S, Address
from .duck import ROLE

PROGRAMS: Final = ("psql", "pgcli")
# libpq's settings that may stand in postgres.url, by the variable that sets them.
VARIABLES: Final = {
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslcrl": "PGSSLCRL",
    "sslsni": "PGSSLSNI", "sslnegotiation": "PGSSLNEGOTIATION", "gssencmode": "PGGSSENCMODE", "hostaddr": "PGHOSTADDR",
    "channel_binding": "PGCHANNELBINDING", "require_auth": "PGREQUIREAUTH", "options": "PGOPTIONS",
    "target_session_attrs": "PGTARGETSESSIONATTRS", "connect_timeout": "PGCONNECT_TIMEOUT", "application_name": "PGAPPNAME",
}  # fmt: skip


def find_program(wanted: str | None = None, search: str | None = None) -> Path:
    """psql, that of our own PostgreSQL before another one; where there is none, pgcli. Or the one that is `wanted`.

    `search` is a PATH. Raises UsageError for another name, EcomLiteError where there is none.
    """
    if wanted not in (None, *PROGRAMS):
        raise UsageError(f"--with {wanted}: there is {' and '.join(PROGRAMS)}")
    for name in PROGRAMS if wanted is None else (wanted,):
        if found := (_own(name) or shutil.which(name, path=search)):
            return Path(found)
    names = wanted or " or ".join(PROGRAMS)
    raise EcomLiteError(
        f"{names} was not found, neither on the PATH nor with our own PostgreSQL: install PostgreSQL's client, or `pip install "
        "pgcli`; `ecom_lite sql` needs neither"
    )


def environment(address: Address, ours: Mapping[str, str]) -> dict[str, str]:
    """`ours` with the reader's login, and without what else would steer libpq."""
    kept = {name: value for name, value in ours.items() if not name.startswith("PG")}
    login = {
        "PGHOST": address.host, "PGPORT": str(address.port), "PGDATABASE": address.database, "PGUSER": ROLE,
        "PGPASSWORD": address.passwords[ROLE], "PGAPPNAME": "ecom_lite psql", "PGCONNECT_TIMEOUT": str(CONNECT_TIMEOUT_S),
    }  # fmt: skip
    further = {VARIABLES[name]: value for name, value in address.options.items() if name in VARIABLES}
    return {**kept, **login, **further}


def run(program: Path, address: Address, arguments: Sequence[str]) -> int:
    """Until the user leaves it; its exit code. Ctrl-C is for it, not for us."""
    previous = signal.signal(signal.SIGINT, lambda *_: None)  # ignored outright, it would be ignored by the child, too
    try:
        with subprocess.Popen([program, *arguments], env=environment(address, os.environ)) as child:
            code = child.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
    return code if code >= 0 else 128 - code


def _own(name: str) -> Path | None:
    """Of our own PostgreSQL: it knows what this version's server can do."""
    try:
        program = find_install() / "bin" / name
    except EngineError:
        return None
    return program if os.access(program, os.X_OK) else None
