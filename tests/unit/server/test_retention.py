"""What goes by age goes, what is not named stays, and a wrong name is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.errors import UsageError
from floorwalker.events.event import Address, Event
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.events.identity.normalise import PersonalValue
from floorwalker.server.installation import Installation
from floorwalker.server.retention import DAY, FIELDS, read_periods, sweep_installation
from floorwalker.server.vaults import open_vault
from floorwalker.store.ledger import Ledger
from floorwalker.store.ledger.database import put
from floorwalker.store.ledger.tables import audit

START = 1_760_000_000_000_000


def value(field: str, raw: str) -> PersonalValue:
    return PersonalValue(field, f"em1_{raw}", raw, "account:ann", "default")


def test_what_is_older_than_its_period_goes(tmp_path: Path) -> None:
    installation, now = Installation(tmp_path), [START]
    installation.make()
    with open_vault(installation, clock=lambda: now[0]) as vault, Ledger(installation.ledger_url) as ledger:
        vault.put([value("email", "a"), value("ip", "b"), value("attributes.contact", "c")])
        now[0] += 40 * DAY
        assert sweep_installation(installation, {"ip": 30, "email": 41}, ledger=ledger, clock=lambda: now[0]) == {
            "values": 1
        }
        assert sorted(each.field for each in vault.export("default", "account:ann")) == [
            "attributes.contact",
            "email",
        ]
        # A field's own period goes before that of all.
        periods = {"values": 30, "email": 60}
        assert sweep_installation(installation, periods, ledger=ledger, clock=lambda: now[0]) == {"values": 1}
        assert [each.field for each in vault.export("default", "account:ann")] == ["email"]
        assert vault.erasures() == 2, "a running server hears of it"


def test_rows_of_the_ledger_go_too(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.make()
    with Ledger(installation.ledger_url) as ledger:
        rows = [
            {column.name: {"at": at, "sequence": at}.get(column.name, 0 if "int" in str(column.type).lower() else "x")
             for column in audit.columns}
            for at in (START, START + 20 * DAY)
        ]  # fmt: skip
        ledger.write(lambda connection: put(connection, audit, rows))
        removed = sweep_installation(installation, {"audit": 10}, ledger=ledger, clock=lambda: START + 21 * DAY)
    assert removed == {"audit": 1}


def test_every_field_that_values_are_taken_from_has_its_name() -> None:
    address = Address(street="High Street 12", city="York", postal_code="YO1 7EP", country="GB")
    mail = "ann@example.com"
    event = Event(
        id="1", type="message", at=START, email=mail, phone="+442079460000", ip="203.0.113.9", shipping_address=address,
        billing_address=address, account=mail, inviter=mail, recipient=mail, seller=mail, session=mail, device=mail,
        url=f"/x?mail={mail}", referrer=f"https://example.com/?mail={mail}", reason=mail, text=f"write to {mail}",
        attributes={"contact": mail},
    )  # fmt: skip
    _, taken = normalise(event, Tokeniser(bytes(32)))
    assert {each.field.partition(".")[0] for each in taken} == set(FIELDS)


@pytest.mark.parametrize("texts", [[], ["emial=3"], ["email"], ["email=0"], ["email=x"], ["email=99999"], ["=3"]])
def test_wrong_periods_are_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError):
        read_periods(texts)
