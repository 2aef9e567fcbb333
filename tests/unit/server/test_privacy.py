"""Who asked for whose data is written down, and what they typed is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from floorwalker.errors import InputError
from floorwalker.events.identity import PersonalValue, Tokeniser
from floorwalker.server.installation import Installation
from floorwalker.server.privacy import export_person
from floorwalker.server.vaults import open_vault
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.tables import personal_audit

TYPED = "07911 123456"


def subjects_of(ledger: Ledger) -> list[list[str]]:
    rows = ledger.read(lambda connection: connection.execute(select(personal_audit.c.subjects_json)).scalars().all())
    return [json.loads(row) for row in rows]


def test_of_what_was_typed_and_occurs_nowhere_the_audit_holds_a_token(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.make()
    installation.journal.mkdir(exist_ok=True)
    mail = "ann@example.com"
    with open_vault(installation, clock=lambda: 7) as vault, Ledger(installation.ledger_url) as ledger:
        for typed in (TYPED, f"account:{TYPED}", mail, "bob＠example.net", "+447911123456"):
            with pytest.raises(InputError, match="nothing is kept of"):
                export_person(installation, typed, shop="default", is_all=False, ledger=ledger, clock=lambda: 7)
        token = Tokeniser(installation.token_key()).token("account", "default", TYPED)
        found = subjects_of(ledger)
        assert found[0] == found[1] == sorted({token, f"account:{token}"})
        assert not any(part in json.dumps(found) for part in ("07911", "123456", "@", "example", "\\uff20"))
        # An account that the vault knows is named as the events name it.
        vault.put([PersonalValue("email", "em1_x", mail, "account:ann", "default")])
        export_person(installation, "ann", shop="default", is_all=False, ledger=ledger, clock=lambda: 7)
        assert "account:ann" in subjects_of(ledger)[-1]


def test_the_audit_is_written_before_a_raw_value_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = Installation(tmp_path)
    installation.make()
    installation.journal.mkdir(exist_ok=True)
    with open_vault(installation, clock=lambda: 7) as vault, Ledger(installation.ledger_url) as ledger:
        vault.put([PersonalValue("email", "em1_x", "ann@example.com", "account:ann", "default")])

        def fail(*_: object) -> None:
            raise OSError("the disk went away")

        monkeypatch.setattr(type(vault), "export", fail)
        with pytest.raises(OSError, match="went away"):
            export_person(installation, "ann", shop="default", is_all=False, ledger=ledger, clock=lambda: 7)
        assert len(subjects_of(ledger)) == 1
