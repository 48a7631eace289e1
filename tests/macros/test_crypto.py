"""The keys of the secrets at rest."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from centerhook import local
from macros import crypto


def test_a_machine_makes_one_key_of_its_own_for_its_owner_only(
    tmp_path: Path,
) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: local.secrets_key(tmp_path / "var"), range(32)))
    [key] = keys
    assert not crypto.bad_keys([key])
    [file] = (tmp_path / "var").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_first_key_encrypts_and_all_decrypt(settings: Any) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.SECRETS_KEYS = [old]
    token = crypto.encrypt("grün")
    settings.SECRETS_KEYS = [new, old]
    assert crypto.decrypt(token) == "grün"
    again = crypto.reencrypt(token)
    settings.SECRETS_KEYS = [new]
    assert crypto.decrypt(again) == "grün"
    for call in (crypto.decrypt, crypto.reencrypt):
        with pytest.raises(crypto.Undecryptable):
            call(token)
        with pytest.raises(crypto.Undecryptable):
            call(again[:-5] + "AAAA=")
