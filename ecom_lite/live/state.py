"""The state file: how a live run is, and how other commands reach it. Written whole, 0600, no password."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from ..errors import EcomLiteError
from ..observe.status import OtherVersion, RunStatus, read_status
from ..settings.data_dir import STATE, write_private


class Database(Struct, frozen=True, kw_only=True):
    """Where the warehouse is, without a login."""

    host: str
    port: int
    database: str

    @property
    def place(self) -> str:
        """For people, as that of an address."""
        return f"{self.host}:{self.port}/{self.database}"


class RunState(RunStatus, frozen=True, kw_only=True):
    """The status, and how this user's other processes reach the run. The addresses are there once it is running."""

    addresses: dict[str, str] = {}  # what the banner shows
    control_url: str = ""
    control_token: str = ""
    bootstrap: str = ""  # host:port,... of the broker
    postgres: Database | None = None

    def as_json(self) -> str:
        """For people and programs: without the token."""
        shown = msgspec.to_builtins(self)
        del shown["control_token"]
        return msgspec.json.encode(shown).decode()


def control_link(page: str, token: str) -> dict[str, str]:
    """The line that shows a person at the terminal how to use the page's buttons: the token stands behind the #, which no browser
    sends and no server logs. Not for files and programs."""
    return {"control": f"{page}#token={token}"} if page and token else {}


def write_state(data_dir: Path, state: RunState) -> None:
    """Replace the file in one step, so that a reader never sees half of it. Raises EcomLiteError where it cannot be written."""
    try:
        write_private(data_dir / STATE, msgspec.json.encode(state))
    except OSError as error:
        raise EcomLiteError(f"the data folder {data_dir} can no longer be written: {error.strerror}") from None


def read_state(data_dir: Path) -> RunState | None:
    """The last state written; None where there is none. Raises EcomLiteError for a run of another version of ecom_lite."""
    try:
        return read_status((data_dir / STATE).read_bytes(), RunState)
    except OtherVersion as other:
        raise EcomLiteError(
            f"the state of the run in {data_dir} cannot be read: {other}; use that version beside it, or stop the run and start "
            "it with this one"
        ) from None
    except (OSError, msgspec.MsgspecError):
        return None


def forget_state(data_dir: Path) -> None:
    """Delete what an earlier run has left: nothing runs now."""
    (data_dir / STATE).unlink(missing_ok=True)
