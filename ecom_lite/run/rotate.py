"""New passwords for the roles: on our own server or on the one that the settings name, also while a run goes on."""

from __future__ import annotations

from dataclasses import replace

from ..engines.from_settings import postgres_server
from ..engines.registry import ChildRegistry
from ..live.lock import holder
from ..settings.data_dir import CHILDREN, SECRETS
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from ..warehouse.connect import Address
from ..warehouse.passwords import Passwords, shared_passwords
from ..warehouse.roles import rotate_passwords
from .grafana_part import write_env
from .opened import opened
from .reach import named_address


def rotate(settings: Settings, terminal: Terminal) -> None:
    """Change them all, and say who has to be told. Raises EcomLiteError, psycopg.Error."""
    if settings.postgres.url.get_secret_value():
        passwords = shared_passwords(settings)
        _change(settings, named_address(settings), passwords)
        others = "; every other machine that uses this server needs this file"
    else:
        passwords, others = Passwords(settings.data_dir / SECRETS), ""
        with opened(settings, terminal, "migrate", kafka=False) as now:
            server = postgres_server(settings, ChildRegistry(settings.data_dir / CHILDREN))
            assert server is not None
            _change(settings, replace(now.address, admin_password=server.superuser_password), passwords)
    terminal.say(f"the roles have new passwords, kept in {passwords.path}{others}")
    if holder(settings.data_dir) is not None:
        terminal.say("the run goes on, and its parts take them when they connect anew; Grafana only takes them at its next start")


def _change(settings: Settings, address: Address, passwords: Passwords) -> None:
    rotate_passwords(address, passwords)
    write_env(settings.data_dir, replace(address, passwords=passwords))
