"""The folder in which an installation keeps everything, and the secret that its keys are made under."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from floorwalker.errors import ArtefactError, InputError
from floorwalker.store._files import standing_folder

SECRET_BYTES = 32


@dataclass(frozen=True)
class Installation:
    """Where things stand below one folder.

    Parameters
    ----------
    folder : made where missing.
    """

    folder: Path

    @property
    def journal(self) -> Path:
        """The journal's segments."""
        return self.folder / "journal"

    @property
    def snapshots(self) -> Path:
        """Snapshots of live state."""
        return self.folder / "snapshots"

    @property
    def models(self) -> Path:
        """Models that were learned here, one folder a version."""
        return self.folder / "models"

    @property
    def trained(self) -> Path:
        """Models that `floorwalker train` made and `serve --models` put here."""
        return standing_folder(self.folder / "trained")

    @property
    def trained_parts(self) -> Path:
        """Names of the models that were put into `trained`, so that one that is gone is missed."""
        return self.folder / "trained.json"

    @property
    def texts(self) -> Path:
        """The classifier of texts that `floorwalker train texts` made and `serve` put here."""
        return standing_folder(self.folder / "texts")

    def installed_parts(self) -> list[str]:
        """What `trained_parts` says; empty in installations of earlier versions, which have no such list."""
        try:
            return msgspec.json.decode(self.trained_parts.read_bytes(), type=list[str])
        except (OSError, msgspec.MsgspecError):
            return []

    @property
    def rules(self) -> Path:
        """The shop's own rules, beside those that come with the package."""
        return self.folder / "rules"

    @property
    def rule_sets(self) -> Path:
        """Every set of rules that ever decided here, one file a version, so that decisions can be explained."""
        return self.folder / "rule-sets"

    @property
    def vault(self) -> Path:
        """Raw personal values, sealed."""
        return self.folder / "vault.sqlite"

    @property
    def vault_key(self) -> Path:
        """The key that the vault's keys are sealed under; back it up apart from the vault."""
        return self.folder / "vault.key"

    @property
    def ledger_url(self) -> str:
        """The ledger where no database is named."""
        return f"sqlite:///{self.folder / 'ledger.sqlite'}"

    def make(self) -> None:
        """Make the folder; raises `InputError` where it cannot be made."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"the folder {self.folder} cannot be made: {error.strerror}") from error

    def secret(self) -> bytes:
        """The secret of entity keys and decision ids, made on the first call: 32 bytes.

        It belongs to the state: with another one nothing in a journal or snapshot is found again.
        """
        return _read_or_make(self.folder / "state.key")

    def token_key(self) -> bytes:
        """The key that tokens of personal values are made under, made on the first call: 32 bytes.

        Back it up apart from the state: who has both can try e-mail addresses against tokens.
        """
        return _read_or_make(self.folder / "tokens.key")


def _read_or_make(path: Path) -> bytes:
    """A secret file, readable by its owner only; raises `ArtefactError` where it is damaged."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = path.read_bytes()
        if len(found) != SECRET_BYTES:
            raise ArtefactError(
                f"the secret {path} has {len(found)} bytes", allowed=str(SECRET_BYTES), fix="restore it"
            ) from None
        return found
    try:
        made = secrets.token_bytes(SECRET_BYTES)
        os.write(descriptor, made)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return made
