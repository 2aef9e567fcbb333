"""What was learned of a shop's accounts and sessions, as an artefact without PyTorch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._live_kernel import combine
from floorwalker.detectors.behaviour.streams import STREAMS, make_stream
from floorwalker.detectors.behaviour.tokens import SHOP_FIELDS, ShopTokens
from floorwalker.detectors.behaviour.weights import LstmWeights, pack_arrays, unpack_arrays
from floorwalker.errors import ArtefactError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.models.artefacts import load_artefact, save_artefact

ARTEFACT = "behaviour.lstm"
FORMAT = 1

_combine: Callable[..., None] = combine


@dataclass(frozen=True, eq=False)
class BehaviourModel:
    """An LSTM over accounts, one over sessions, and how their opinions are put together.

    Parameters
    ----------
    account, session : the weights.
    mixing : float32 [3, K, 3], see `_live_kernel.combine`.
    ranks : float32 [2, R], surprises of account and session in history, rising.
    """

    account: LstmWeights
    session: LstmWeights
    mixing: NDArray[np.float32]
    ranks: NDArray[np.float32]

    @cached_property
    def version(self) -> str:
        """Equal versions give equal scores."""
        digest = hashlib.sha256()
        for name, array in sorted(self.arrays().items()):
            digest.update(name.encode() + array.tobytes())
        return digest.hexdigest()[:12]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that was learned, by name."""
        return {
            **{f"account.{name}": array for name, array in self.account.state().items()},
            **{f"session.{name}": array for name, array in self.session.state().items()},
            "mixing": self.mixing,
            "ranks": self.ranks,
        }

    def judge(
        self, account: NDArray[np.float32], session: NDArray[np.float32], surprises: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Opinions of the streams together: float32 [n, K + 1] from logits [n, K] each and surprises [2, n]."""
        out = np.empty((len(account), account.shape[1] + 1), np.float32)
        _combine(account, session, surprises[0], surprises[1], self.mixing, self.ranks, out)
        return out

    def score_history(self, history: ShopTokens) -> NDArray[np.float32]:
        """Every event as of then, float32 [n, K + 1]: what `LiveBehaviour.advance` gives with room for everybody."""
        logits, surprises = self.logits_of(history)
        return self.judge(logits[0], logits[1], surprises)

    def logits_of(
        self, history: ShopTokens, *, since: int = 0
    ) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        """Logits of account and session, float32 [n, K] each, and surprises, float32 [2, n]; NaN without a key.

        Owners that have no event at or after the place `since` are left out: theirs are NaN.
        """
        n, labels = len(history), len(ABUSE_TYPES)
        logits, surprises = [], np.full((2, n), np.nan, np.float32)
        for place, kind in enumerate(STREAMS):
            stream = make_stream(history, kind)
            stream = stream.reaching(since) if since else stream
            ran = getattr(self, kind).run(stream.sequences)
            found = np.full((n, labels), np.nan, np.float32)
            found[stream.rows] = ran.logits
            surprises[place, stream.rows] = ran.surprise
            logits.append(found)
        return logits, surprises

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write the artefact; `facts` go into its manifest (data fingerprint, metrics, command)."""
        save_artefact(
            folder, name=ARTEFACT, version=FORMAT, files={"weights.npz": pack_arrays(self.arrays())},
            facts={
                **(facts or {}), "labels": ABUSE_TYPES, "model_version": self.version,
                "fields": [asdict(each) for each in SHOP_FIELDS],
            },
        )  # fmt: skip

    @classmethod
    def load(cls, folder: Path) -> BehaviourModel:
        """What `save` wrote; damaged files, other fields or other abuse types raise `ArtefactError`."""
        artefact = load_artefact(folder, name=ARTEFACT, version=FORMAT)
        wanted = {"labels": [*ABUSE_TYPES], "fields": [asdict(each) for each in SHOP_FIELDS]}
        for name, value in wanted.items():
            if artefact.manifest.get(name) != value:
                raise ArtefactError(f"the model in {folder} was made with other {name}", fix="train it again")
        arrays = unpack_arrays(artefact.files.get("weights.npz", b""))
        missing = {"mixing", "ranks"} - {*arrays}
        if missing:
            raise ArtefactError(f"the model in {folder} lacks {', '.join(sorted(missing))}", fix="train it again")
        parts = {
            kind: LstmWeights.from_state(
                {name.removeprefix(f"{kind}."): array for name, array in arrays.items() if name.startswith(f"{kind}.")}
            )
            for kind in STREAMS
        }
        for each in parts.values():
            each.check(SHOP_FIELDS)
        labels = len(ABUSE_TYPES)
        if arrays["mixing"].shape != (3, labels, 3) or arrays["ranks"].ndim != 2 or len(arrays["ranks"]) != 2:
            raise ArtefactError(f"the arrays of the model in {folder} do not fit", fix="train it again")
        return cls(parts["account"], parts["session"], arrays["mixing"], arrays["ranks"])
