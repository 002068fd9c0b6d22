"""Owns a Grafana server of our own: finding an installation, its settings, start, proof of life, stop."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path

from ecom_lite.engines.child import Child, ChildRegistry, inherited
from ecom_lite.engines.ports import choose_port
from ecom_lite.engines.server import Server
from ecom_lite.errors import EngineError
from ecom_lite.settings.data_dir import SECRETS, naming, write_plain, write_private

HOME_VARIABLE = "GRAFANA_HOME"
BINARIES = ("grafana", "grafana-server")
# Where packages put what `--homepath` needs, when it is not beside the binary.
PACKAGE_HOMES = (
    Path("/usr/share/grafana"),
    Path("/opt/homebrew/opt/grafana/share/grafana"),
    Path("/usr/local/share/grafana"),
)
HOME_BOARD = "realtime_operations.json"
DATABASE = "grafana.db"
USUAL_PORT = 3000
START_DEADLINE_S = 90.0
STOP_GRACE_S = 10.0
HTTP_TIMEOUT_S = 2.0
POLL_S = 0.1


@dataclass(frozen=True)
class Warehouse:
    """How Grafana reaches PostgreSQL, as ecom_reader; `sslmode` is libpq's."""

    host: str
    port: int
    database: str
    password: str = field(repr=False)
    sslmode: str = "disable"

    def variables(self) -> dict[str, str]:
        """The environment that grafana/provisioning/datasources reads."""
        return {
            "ECOM_LITE_PG_HOST": self.host,
            "ECOM_LITE_PG_PORT": str(self.port),
            "ECOM_LITE_PG_DATABASE": self.database,
            "ECOM_LITE_PG_SSLMODE": self.sslmode,
            "ECOM_LITE_PG_READER_PASSWORD": self.password,
        }


def find_grafana(home: Path | None = None, env: Mapping[str, str] | None = None) -> Path | None:
    """The server's executable: of the installation in `home`, else of $GRAFANA_HOME, else on PATH; None without one.

    Raises EngineError when `home` is given and holds none.
    """
    variables = os.environ if env is None else env
    if home is not None:
        found = _in_home(home.expanduser())
        if found is None:
            raise EngineError(f"grafana.home {home}: no bin/grafana there. Name the folder that Grafana was unpacked to.")
        return found
    if variables.get(HOME_VARIABLE) and (found := _in_home(Path(variables[HOME_VARIABLE]))):
        return found
    for name in BINARIES:
        if on_path := shutil.which(name, path=variables.get("PATH")):
            return Path(on_path)
    return None


def kept_secrets(data_dir: Path) -> dict[str, str]:
    """`admin_password` of the user `admin` and `secret_key`, made the first time and kept 0600 in Grafana's folder `data_dir`.
    Raises EngineError."""
    path = data_dir / SECRETS
    if path.is_file():
        try:
            found = json.loads(path.read_text("utf-8"))
            return {name: str(found[name]) for name in ("admin_password", "secret_key")}
        except (ValueError, KeyError, TypeError):
            raise EngineError(f"{path} holds no secrets of Grafana's: remove it, and the next start makes new ones") from None
    made = {"admin_password": secrets.token_urlsafe(18), "secret_key": secrets.token_urlsafe(24)}
    data_dir.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(made))
    return made


def _in_home(home: Path) -> Path | None:
    for name in BINARIES:
        binary = home / "bin" / name
        if binary.is_file() and os.access(binary, os.X_OK):
            return binary.absolute()
    return None


def _homepath(binary: Path) -> Path:
    for home in (binary.parent.parent, binary.resolve().parent.parent, *PACKAGE_HOMES):
        if (home / "public").is_dir() and (home / "conf").is_dir():
            return home
    raise EngineError(f"{binary}: the rest of its installation (conf/, public/) was not found. Set grafana.home to its folder.")


class GrafanaServer(Server):
    """A Grafana of our own, on loopback, open to read without a login. `stop` and `kill` may be called from any thread.

    `provisioning` and `boards` are grafana/provisioning and grafana/dashboards. What Grafana keeps is in `data_dir`.
    With `alerting` it evaluates the rules of provisioning/alerting, too.
    `port=None` takes the last run's port, else 3000, else a free one; a restart of this object keeps it.
    """

    name = "Grafana"

    def __init__(
        self,
        binary: Path,
        data_dir: Path,
        log_dir: Path,
        *,
        warehouse: Warehouse,
        provisioning: Path,
        boards: Path,
        port: int | None = None,
        alerting: bool = False,
        registry: ChildRegistry | None = None,
    ) -> None:
        super().__init__()
        self.data_dir = data_dir.absolute()
        self.log = log_dir.absolute() / "grafana.log"
        self.binary = binary
        self._warehouse = warehouse
        self._provisioning = provisioning.absolute()
        self._boards = boards.absolute()
        self._fixed_port = port
        self._alerting = alerting
        self._registry = registry

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        return f"http://{self.host}:{self.port}/"

    @property
    def admin_password(self) -> str:
        """Of the user `admin`, made at the first start and kept 0600 in the data folder."""
        return kept_secrets(self.data_dir)["admin_password"]

    def start(self, deadline_s: float = START_DEADLINE_S) -> None:
        """Start the server and return once it says that it is well and serves the boards.

        May be called again after a stop, a kill or a crash. Raises EngineError, with the end of the log, when it dies
        or is not ready within `deadline_s` seconds; nothing runs then. Raises PortTaken for a fixed port in use.
        """
        self._begin()
        homepath = _homepath(self.binary)
        self._port = choose_port(self._port, self._fixed_port, self._last_port() or USUAL_PORT, what="Grafana")
        for folder in ("data", "plugins"):
            (self.data_dir / folder).mkdir(parents=True, exist_ok=True)
        write_plain(self.data_dir / "port", str(self._port))
        ini = self._write_ini()
        verb = ["server"] if self.binary.name == "grafana" else []
        command: list[str | Path] = [self.binary, *verb, f"--homepath={homepath}", f"--config={ini}"]
        # Grafana 10.0 may end while it makes its database, where a second begins between its two look-ups of its organisation.
        # What it has made by then is whole, and the next start goes on from there.
        may_end = not (self.data_dir / "data" / DATABASE).exists()
        give_up = time.monotonic() + deadline_s
        try:
            self._launch(command, homepath, give_up)
        except EngineError:
            if not may_end or self.alive or self._cancelled.is_set():
                raise
            self._launch(command, homepath, give_up)

    def _launch(self, command: list[str | Path], homepath: Path, give_up: float) -> None:
        self._child = Child("Grafana", command, log=self.log, env=self._environment(), cwd=homepath, registry=self._registry)
        self._child.start()
        try:
            self._wait_ready(self._child, give_up)
        except BaseException:
            self._child.kill()
            raise

    def stop(self, grace_s: float = STOP_GRACE_S) -> bool:
        return super().stop(grace_s)

    def _wait_ready(self, child: Child, give_up: float) -> None:
        board = json.loads((self._boards / HOME_BOARD).read_text("utf-8"))["uid"]
        cause: str | None = None
        for path in ("/api/health", f"/api/dashboards/uid/{board}"):
            while cause := self._refusal(path):
                if self._cancelled.is_set():
                    raise EngineError("Grafana was stopped while it started.")
                if not child.alive or time.monotonic() > give_up:
                    raise child.failure("starting", cause)
                time.sleep(POLL_S)

    def _refusal(self, path: str) -> str | None:
        """Why `path` does not answer with 200 yet, or None when it does."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=HTTP_TIMEOUT_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return None if answer.status == http.client.OK else f"{path} answered {answer.status} {answer.reason}"
        except OSError as error:
            return f"{path}: {error}"
        except http.client.HTTPException as error:
            return f"{path}: {error!r}"
        finally:
            connection.close()

    def _last_port(self) -> int | None:
        try:
            return int((self.data_dir / "port").read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def _environment(self) -> dict[str, str]:
        """Ours without the user's own GF_ settings, which are meant for another Grafana; secrets are in no argument."""
        kept = kept_secrets(self.data_dir)
        return {
            **inherited("GF_"),
            **self._warehouse.variables(),
            "ECOM_LITE_DASHBOARDS": str(self._boards),
            "GF_SECURITY_ADMIN_PASSWORD": kept["admin_password"],
            "GF_SECURITY_SECRET_KEY": kept["secret_key"],
        }

    def _write_ini(self) -> Path:
        ini = ConfigParser(interpolation=None)
        off = "false"
        ini["paths"] = {
            "data": str(self.data_dir / "data"),
            "logs": str(self.log.parent),
            "plugins": str(self.data_dir / "plugins"),
            "provisioning": str(self._provisioning),
        }
        ini["server"] = {
            "protocol": "http",
            "http_addr": self.host,
            "http_port": str(self.port),
            "root_url": self.url,
            # Another name that leads here (DNS rebinding) is sent to root_url: what it asked for is not done.
            "domain": self.host,
            "enforce_domain": "true",
        }
        ini["analytics"] = {
            "reporting_enabled": off,
            "check_for_updates": off,
            "check_for_plugin_updates": off,
            "feedback_links_enabled": off,
        }
        ini["news"] = {"news_feed_enabled": off}
        ini["security"] = {"disable_gravatar": "true", "cookie_samesite": "strict"}
        ini["snapshots"] = {"external_enabled": off}
        ini["users"] = {"allow_sign_up": off}
        ini["auth.anonymous"] = {"enabled": "true", "org_role": "Viewer"}
        ini["dashboards"] = {
            "default_home_dashboard_path": str(self._boards / HOME_BOARD),
            "min_refresh_interval": "5s",
        }
        ini["alerting"] = {"enabled": off}
        ini["unified_alerting"] = {"enabled": "true" if self._alerting else off, "min_interval": "10s"}
        ini["unified_alerting.state_history.annotations"] = {"max_age": "30d"}  # else for ever
        ini["plugins"] = {"plugin_admin_enabled": off, "preinstall_disabled": "true"}
        ini["log"] = {"mode": "console", "level": "warn"}
        path = self.data_dir / "grafana.ini"
        with naming(path), path.open("w", encoding="utf-8") as file:
            ini.write(file)
        return path
