"""Every secret that a run knows: what no log that it shows may have in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from ..errors import EcomLiteError
from ..settings.section import Section
from ..settings.tree import Settings
from ..warehouse.connect import Address


def secrets_of(settings: Settings, address: Address, token: str) -> list[str]:
    """The token, the roles' passwords as of now, the superuser's, and the settings' own; as they stand, and as in a URL."""
    found = [token, *_of_settings(settings)]
    with suppress(EcomLiteError):  # a file of passwords that is being replaced
        found += address.passwords.values()
    found.append(address.admin_password)
    return [form for secret in found if secret for form in {secret, quote(secret, safe="")}]


def _of_settings(settings: Settings) -> Iterator[str]:
    for name in Settings.model_fields:
        section = getattr(settings, name)
        if not isinstance(section, Section):
            continue
        for key in type(section).model_fields:
            value = getattr(section, key)
            if isinstance(value, SecretStr):
                secret = value.get_secret_value()
                yield secret
                if "://" in secret:
                    yield unquote(urlsplit(secret).password or "")
