"""The roles' passwords: random, in one private file, read anew each time, so that a change reaches whoever connects next."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ConfigError
from ..settings.data_dir import PASSWORDS, ROLES_FILE, SECRETS, write_private
from .connect import ROLES, Address

if TYPE_CHECKING:
    from ..settings.tree import Settings

PASSWORD_BYTES: Final = 24


class Passwords(Mapping[str, str]):
    """Those in the file at `path` (0600); for a role that it does not have, the one in `former`. Raises ConfigError."""

    def __init__(self, path: Path, former: Mapping[str, str] | None = None) -> None:
        self.path = path
        self._former = {} if former is None else former

    def __getitem__(self, role: str) -> str:
        kept = self.kept()
        return kept[role] if role in kept else self._former[role]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._former, **self.kept()})

    def __len__(self) -> int:
        return len(list(iter(self)))

    def kept(self) -> Mapping[str, str]:
        """What the file has; nothing where there is none."""
        try:
            found = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError(f"the roles' passwords in {self.path} cannot be read: {error}") from None
        if not isinstance(found, dict) or not all(isinstance(password, str) for password in found.values()):
            raise ConfigError(f"{self.path} holds no passwords of roles: copy it anew, or remove it")
        return found

    def make(self, roles: Iterable[str]) -> None:
        """Keep a new password for each of these that the file does not have."""
        kept = self.kept()
        if missing := [role for role in roles if role not in kept]:
            self.write({**kept, **{role: secrets.token_urlsafe(PASSWORD_BYTES) for role in missing}})

    def write(self, passwords: Mapping[str, str]) -> None:
        """Replace them all. Raises ConfigError where the file cannot be written."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self.path, json.dumps(dict(passwords)))
        except OSError as error:
            raise ConfigError(f"the roles' passwords cannot be kept in {self.path}: {error.strerror}") from None


def load_passwords(data_dir: Path) -> Passwords:
    """Those for our own server, made at first use and kept in `secrets.json` in the data folder."""
    passwords = Passwords(data_dir / SECRETS)
    passwords.make(ROLES)
    return passwords


def shared_passwords(settings: Settings) -> Passwords:
    """The roles' passwords on the server of postgres.url.

    A role that is not in the file may still have the one that earlier versions derived from the one in postgres.url.
    """
    secret = Address.from_url(settings.postgres.url.get_secret_value(), {}).admin_password.encode()
    former = {role: hmac.new(secret, f"ecom_lite {role}".encode(), hashlib.sha256).hexdigest() for role in ROLES}
    return Passwords(settings.postgres.passwords_file or settings.data_dir / PASSWORDS / ROLES_FILE, former)
