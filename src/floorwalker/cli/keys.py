"""``floorwalker keys``: API keys."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from floorwalker.cli._output import Json, note, print_json
from floorwalker.cli.serve import FOLDER, Database, Folder, need_serving
from floorwalker.errors import UsageError

keys_app = typer.Typer(name="keys", help="API keys: made once, shown once, kept as hashes.", no_args_is_help=True)

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND


def _now() -> int:
    return time.time_ns() // 1000


def _archive(folder: Folder, database: str):  # type: ignore[no-untyped-def] # named in a package that may be missing
    need_serving()
    from floorwalker.server.archive import Archive
    from floorwalker.server.installation import Installation
    from floorwalker.store.ledger import Ledger

    installation = Installation(folder)
    installation.make()
    return Archive(Ledger(database or installation.ledger_url))


@keys_app.command()
def create(
    name: Annotated[str, typer.Argument(help="For people: what uses the key.")],
    scopes: Annotated[
        str, typer.Option(help="Comma-separated: ingest, decide, label, read, admin.")
    ] = "ingest,decide,label,read",
    shop: Annotated[str, typer.Option(help="The only shop that the key speaks for; `*` for all.")] = "*",
    days: Annotated[int, typer.Option(help="Days until it expires; 0 = never.", min=0)] = 0,
    rate: Annotated[int, typer.Option(help="Most requests a second; 0 = no limit.", min=0)] = 0,
    folder: Folder = FOLDER,
    database: Database = "",
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once. A running server knows it within two seconds."""
    need_serving()
    from floorwalker.server.keys import make_key

    now = _now()
    key, text = make_key(
        name,
        [scope.strip() for scope in scopes.split(",") if scope.strip()],
        now=now,
        shop=shop,
        expires_at=now + days * _DAY if days else 0,
        rate_per_second=rate,
    )
    _archive(folder, database).add_key(key)
    if as_json:
        print_json(
            {"id": key.id, "key": text, "scopes": sorted(key.scopes), "shop": shop, "expires_at": key.expires_at}
        )
    else:
        note(f"key {key.id} ({name}): {', '.join(sorted(key.scopes))}; it is not shown again")
        print(text)


@keys_app.command("list")
def list_keys(folder: Folder = FOLDER, database: Database = "", as_json: Json = False) -> None:
    """Keys with their scopes; secrets are not kept, so none are shown."""
    found = _archive(folder, database).list_keys(with_revoked=True)
    rows = [
        {
            "id": key.id,
            "name": key.name,
            "scopes": sorted(key.scopes),
            "shop": key.shop,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "revoked_at": key.revoked_at,
            "rate_per_second": key.rate_per_second,
        }
        for key in found
    ]
    if as_json:
        print_json({"keys": rows})
        return
    now = _now()
    for key in found:
        state = "revoked" if key.revoked_at else "valid" if key.is_valid(now) else "expired"
        print(f"{key.id}  {state:8} {key.shop:12} {','.join(sorted(key.scopes)):36} {key.name}")


@keys_app.command()
def rotate(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Of the key that is replaced.")],
    grace_hours: Annotated[float, typer.Option(help="How long the old key still works.", min=0)] = 24.0,
    folder: Folder = FOLDER,
    database: Database = "",
    as_json: Json = False,
) -> None:
    """Make a key with the same scopes and shop, and let the old one expire."""
    need_serving()
    from floorwalker.server.keys import make_key

    archive, now = _archive(folder, database), _now()
    old = next((key for key in archive.list_keys() if key.id == identity), None)
    if old is None:
        raise UsageError(f"no API key with the id {identity!r}", fix="list them with: floorwalker keys list")
    new, text = make_key(
        old.name,
        old.scopes,
        now=now,
        shop=old.shop,
        expires_at=now + old.expires_at - old.created_at if old.expires_at else 0,
        rate_per_second=old.rate_per_second,
    )
    archive.add_key(new)
    until = now + int(grace_hours * 3600 * _SECOND)
    if not old.expires_at or until < old.expires_at:
        archive.end_key(identity, now=now, at=until)
    if as_json:
        print_json({"id": new.id, "key": text, "replaces": identity, "old_expires_at": until})
    else:
        note(f"key {new.id} replaces {identity}, which ends in {grace_hours:g} h; it is not shown again")
        print(text)


@keys_app.command("rotate-master")
def rotate_master(folder: Folder = FOLDER, as_json: Json = False) -> None:
    """Exchange the key above all personal keys; the server must be stopped.

    A kill in the middle leaves the old key or the new one in force, never a part of both.
    """
    need_serving()
    from floorwalker.server.installation import Installation
    from floorwalker.server.vaults import rotate_master_key

    installation = Installation(folder)
    count = rotate_master_key(installation, clock=_now)
    if as_json:
        print_json({"people": count, "key": str(installation.vault_key)})
    else:
        note(f"{count:,} personal keys are under a new master key: {installation.vault_key}")
        note("Back it up now, and destroy the copies of the old one once no backup of the vault needs it.")


@keys_app.command()
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Of the key.")],
    folder: Folder = FOLDER,
    database: Database = "",
    as_json: Json = False,
) -> None:
    """End a key now; a running server refuses it within two seconds."""
    now = _now()
    _archive(folder, database).end_key(identity, now=now, at=now)
    if as_json:
        print_json({"id": identity, "revoked_at": now})
    else:
        note(f"key {identity} is revoked")
