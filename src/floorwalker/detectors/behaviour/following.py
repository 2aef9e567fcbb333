"""One sequence, event by event, with what attention needs of the past kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._transformer_model import Cache, TransformerModel
from floorwalker.detectors.behaviour._transformer_training import unforeseen
from floorwalker.detectors.behaviour.sequences import Field
from floorwalker.detectors.behaviour.weights import foreseen_of
from floorwalker.errors import InputError


class Following:
    """Scores as `CausalTransformer.logits` and `surprise` give them, at the cost of one event each.

    When the context is full, its later half is read again and goes on as the beginning: the windows are those of
    scoring whole sequences.

    Parameters
    ----------
    model : trained.
    fields : of its events.
    device : where it computes.
    """

    def __init__(self, model: TransformerModel, fields: tuple[Field, ...], device: str) -> None:
        self._model, self._fields, self._device = model.eval(), fields, device
        self._foreseen = foreseen_of(fields).tolist()
        self._held: list[NDArray[Any]] = []
        self._cache: Cache = []
        self._last = self._read(self._model.beginning[None, None])

    def push(self, tokens: NDArray[Any]) -> tuple[NDArray[np.float32], float]:
        """The next event, integers [F]: logits float32 [K] with it, and nats by which it was not foreseen.

        Raises `InputError` for codes outside their fields.
        """
        codes = np.asarray(tokens)
        sizes = np.array([each.size for each in self._fields])
        if codes.shape != sizes.shape or (codes < 0).any() or (codes >= sizes).any():
            raise InputError(f"an event of the codes {codes.tolist()}", allowed=f"below {sizes.tolist()}")
        if len(self._held) == self._model.context:
            self._start_again()
        given = torch.from_numpy(codes.astype(np.int64)).to(self._device)[None]
        with torch.no_grad():
            nats = float(unforeseen(self._model.ahead(self._last), given, self._foreseen))
            self._last = self._read(self._model.embed(given)[:, None])
            logits: NDArray[np.float32] = self._model.head(self._last)[0].float().cpu().numpy()
        self._held.append(codes)
        return logits, nats

    def _start_again(self) -> None:
        self._held = self._held[len(self._held) // 2 :]
        self._cache = []
        tokens = torch.from_numpy(np.stack(self._held).astype(np.int64)).to(self._device)
        with torch.no_grad():
            events = torch.cat([self._model.beginning[None], self._model.embed(tokens)])[None]
            self._last = self._read(events)

    def _read(self, events: torch.Tensor) -> torch.Tensor:
        """The last one's representation, [1, W]."""
        first = self._cache[0][0].shape[2] if self._cache else 0
        with torch.no_grad():
            x, self._cache = self._model.walk(events, first, self._cache or None)
        return x[:, -1]
