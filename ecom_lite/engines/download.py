"""Owns getting one file over HTTP into a `.part` file, resumable, and its sha256. Proxy and CA variables count."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from ecom_lite.errors import JarError, without_login

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
ATTEMPTS = 4
BACKOFF_S = 0.5
BLOCK_BYTES = 1 << 16  # what a lost connection may cost
RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})


class Interrupted(JarError):
    """A download was given up because another one failed; what came so far is kept."""


def copy(source: Path, target: Path) -> str:
    """Copy a local file and return its sha256."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(BLOCK_BYTES):
            digest.update(block)
            writer.write(block)
    return digest.hexdigest()


def download(url: str, part: Path, *, what: str, tell: Callable[[int, int], None], stop: threading.Event) -> str:
    """Get `url` into `part`, going on where an earlier try ended, and return the sha256 of the whole file.

    `tell(done, total)` gets bytes; total is 0 when the server does not say. Retries what may pass (lost connections,
    429, 5xx). Raises JarError that names `what` and the reason; Interrupted when `stop` is set.
    """
    import requests  # 0.1 s to import, and nearly every start finds all jars in the cache

    for attempt in range(1, ATTEMPTS + 1):
        try:
            _attempt(url, part, what, tell, stop)
            with part.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except requests.RequestException as error:
            status = error.response.status_code if error.response is not None else None
            final = attempt == ATTEMPTS or (status is not None and status not in RETRIED_STATUS)
            if final or isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.SSLError)):
                raise JarError(
                    f"Cannot fetch {what} from {without_login(f'{url}: {error}')}. Check the network and the proxy variables "
                    "(HTTPS_PROXY, REQUESTS_CA_BUNDLE), or set a mirror or an offline folder for the jars."
                ) from None  # the error has the address with its login
        if stop.wait(BACKOFF_S * 2 ** (attempt - 1)):
            break
    raise Interrupted(f"The download of {what} was given up because another one failed.")


def _attempt(url: str, part: Path, what: str, tell: Callable[[int, int], None], stop: threading.Event) -> None:
    import requests

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)) as reply:
        if reply.status_code == 416:  # the part is as long as the file, or longer: its hash decides
            return
        reply.raise_for_status()
        if have and (reply.status_code != 206 or not reply.headers.get("Content-Range", "").startswith(f"bytes {have}-")):
            have = 0
        length = int(reply.headers.get("Content-Length") or 0)
        total = have + length if length else 0
        done = have
        with part.open("ab" if have else "wb") as file:
            for block in reply.iter_content(BLOCK_BYTES):
                if stop.is_set():
                    raise Interrupted(f"The download of {what} was given up because another one failed.")
                file.write(block)
                done += len(block)
                tell(done, total)
        if total and done < total:
            raise requests.ConnectionError(f"the connection ended after {done} of {total} bytes")
