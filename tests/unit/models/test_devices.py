"""Devices of the deep models: names are looked at when a model is described, the machine when it is trained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from floorwalker.detectors.behaviour.lstm import SequenceLSTM
from floorwalker.detectors.behaviour.sequences import Field, Sequences
from floorwalker.detectors.behaviour.sizes import Size
from floorwalker.detectors.behaviour.transformer import CausalTransformer
from floorwalker.detectors.content.tuned import Tuning
from floorwalker.detectors.relation.gnn import RelationalNetwork
from floorwalker.detectors.relation.graph import Graph, Relation
from floorwalker.errors import UsageError
from floorwalker.fusion.gated import GatedFusion
from floorwalker.models.devices import check_device, find_device


def gated(device: str = "cpu") -> GatedFusion:
    return GatedFusion({"all": [0]}, epochs=1, device=device)


def transformer(device: str = "cpu") -> CausalTransformer:
    return CausalTransformer(size=Size(1, 8, 1), context=8, device=device)


@pytest.mark.parametrize("device", ["tpu", "gpu", "cuda:", "cuda:x", "cuda:one", "CPU", "", "cuda:0 ", 0, None])
@pytest.mark.parametrize("model", [SequenceLSTM, CausalTransformer, RelationalNetwork, Tuning, gated, check_device])
def test_devices_that_are_none_are_refused_in_words(model: Callable[..., object], device: object) -> None:
    with pytest.raises(UsageError, match=r"unknown device .*cuda:N"):
        model(device=device)


@pytest.mark.parametrize("device", ["cpu", "mps", "cuda", "cuda:1"])
@pytest.mark.parametrize("model", [SequenceLSTM, CausalTransformer, RelationalNetwork, Tuning, gated])
def test_known_names_are_taken_without_such_a_device(model: Callable[..., object], device: str) -> None:
    assert model(device=device) is not None


def rows(name: str, device: str) -> object:
    """Train the model on a few rows."""
    rng = np.random.default_rng(0)
    label = np.arange(40) % 2
    if name == "lstm" or name == "transformer":
        past = Sequences(rng.integers(0, 3, (40, 1)), np.arange(0, 41, 4), (Field("type", 3, predicted=True),))
        return SequenceLSTM(epochs=1, device=device).fit(past) if name == "lstm" else transformer(device).pretrain(past)
    if name == "gated":
        return gated(device).fit(rng.normal(size=(40, 1)).astype(np.float32), label)
    graph = Graph(rng.normal(size=(40, 2)).astype(np.float32), {"same": Relation.from_groups(np.arange(40) // 4)})
    return RelationalNetwork(epochs=1, device=device).fit(graph, label, np.arange(30), np.arange(30, 40))


@pytest.mark.parametrize("name", ["lstm", "transformer", "gated", "network"])
@pytest.mark.parametrize("device", ["cuda", "cuda:99", "mps"])
def test_devices_that_the_machine_lacks_are_refused_in_words(
    name: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda:99")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match=f"device '{device}'"):
        rows(name, device)
    with pytest.raises(UsageError, match=f"device '{device}'"):
        find_device(device)
