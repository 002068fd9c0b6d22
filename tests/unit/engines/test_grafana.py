"""The secrets of a Grafana of our own: made once, and named where they are torn."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ecom_lite.engines.grafana import kept_secrets
from ecom_lite.errors import EngineError
from ecom_lite.settings.data_dir import SECRETS


def test_they_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    made = kept_secrets(tmp_path / "grafana")
    assert kept_secrets(tmp_path / "grafana") == made and made.keys() == {"admin_password", "secret_key"}
    assert stat.S_IMODE((tmp_path / "grafana" / SECRETS).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"admin_password": "x"'])
def test_a_torn_file_is_named_with_what_to_do(tmp_path: Path, content: str) -> None:
    """Each run reads it for grafana.env, also without a Grafana: it would not start, and say why in json's words."""
    (tmp_path / SECRETS).write_text(content)
    with pytest.raises(EngineError, match=rf"{tmp_path / SECRETS} holds no secrets of Grafana's: remove it"):
        kept_secrets(tmp_path)
