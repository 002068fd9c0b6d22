"""The password of the page: as it may stand in a setting, plain or hashed by scrypt, and whether another text is it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, SecretStr

PREFIX: Final = "scrypt"  # scrypt:15:8:1:SALT:KEY; no character that a shell, TOML or compose.yaml would take for its own
LOG_N, R, P = 15, 8, 1  # 32 MB and about a tenth of a second for each try
MOST_LOG_N, MOST_R, MOST_P = 18, 16, 8  # what a hash from elsewhere may ask of this machine
SALT_BYTES: Final = 16
KEY_BYTES: Final = 32
LEAST_CHARS: Final = 12
MOST_CHARS: Final = 1024
WANTED: Final = f"give at least {LEAST_CHARS} characters, or the hash that `ecom_lite password` prints"


class _Hash(NamedTuple):
    log_n: int
    r: int
    p: int
    salt: bytes
    key: bytes


def hashed(password: str) -> str:
    """The text for a setting from which the password cannot be read. Takes about 0.1 s."""
    salt = secrets.token_bytes(SALT_BYTES)
    return ":".join([PREFIX, str(LOG_N), str(R), str(P), _text(salt), _text(_key(password, salt, LOG_N, R, P))])


def is_hash(setting: str) -> bool:
    """Whether it is what `hashed` makes, rather than a password in plain text."""
    return setting.startswith(f"{PREFIX}:")


def matches(stored: str, given: str) -> bool:
    """Whether `given` is the password of which `stored` is the hash; in constant time. False for a hash that is none."""
    try:
        one = _read(stored)
    except ValueError:
        return False
    return len(given) <= MOST_CHARS and hmac.compare_digest(_key(given, one.salt, one.log_n, one.r, one.p), one.key)


def checked(value: SecretStr) -> SecretStr:
    """As a setting: empty, a password of some length, or a hash. Raises ValueError, which never has the value in it."""
    setting = value.get_secret_value()
    if is_hash(setting):
        _read(setting)
    elif setting and not LEAST_CHARS <= len(setting) <= MOST_CHARS:
        raise ValueError(WANTED)
    return value


PagePassword = Annotated[SecretStr, AfterValidator(checked)]


def is_loopback(host: str) -> bool:
    """Whether who binds to it can be reached from this machine only."""
    name = host.strip("[]").lower()
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False  # a name that may lead anywhere


def _read(stored: str) -> _Hash:
    try:
        prefix, log_n, r, p, salt, key = stored.split(":")
        found = _Hash(int(log_n), int(r), int(p), _bytes(salt), _bytes(key))
    except ValueError:
        raise ValueError(f"this is not a whole hash: {WANTED}") from None
    fits = 1 <= found.log_n <= MOST_LOG_N and 1 <= found.r <= MOST_R and 1 <= found.p <= MOST_P and len(found.key) == KEY_BYTES
    if prefix != PREFIX or not fits or len(found.salt) < SALT_BYTES:
        raise ValueError(f"this is not a hash that is taken here: {WANTED}")
    return found


def _key(password: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    n = 1 << log_n
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r + (1 << 20), dklen=KEY_BYTES
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
