"""A graph neural network over typed relations: who one is among whom one shares things with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from floorwalker.detectors.relation import _forward
from floorwalker.detectors.relation._labels import check_labels, check_rows, show_labels
from floorwalker.detectors.relation._preparing import Preparation, with_degrees
from floorwalker.detectors.relation.graph import Graph
from floorwalker.detectors.relation.sampling import sample_block, whole_block
from floorwalker.errors import ArtefactError, MissingExtraError, NotReadyError, UsageError
from floorwalker.models.artefacts import load_artefact, save_artefact
from floorwalker.models.devices import check_device

ARTEFACT = "relational_network"
VERSION = 1
Matrix = NDArray[np.float32]


@dataclass
class RelationalNetwork:
    """Typed message passing, learned from some labelled nodes, asked about any node of any such graph.

    In each of `layers` rounds a node's state takes in the mean (or with `attention` a learned mixture) of its
    neighbours' states, through weights of the relation's own:
    `h_i <- h_i + relu(norm(W h_i + sum_r W_r mean_{j in N_r(i)} h_j))`. It is inductive: it learns no table of nodes,
    so a node that was not there in training is scored at once from its features and its neighbours.

    A crew's accounts may each look plain; that they share devices, cards or targets with others that look or were bad
    is what this sees.

    Training needs PyTorch and PyTorch Geometric (`train` extra); scores are computed without them, equal to 1e-5.

    Parameters
    ----------
    hidden : width of the states. layers : rounds, i.e. hops seen.
    attention : weigh neighbours by content (GATv2, `heads` heads) instead of evenly.
    shown : share of training labels that in each epoch are inputs rather than targets (0 = labels are no inputs).
        With it, known labels are given to `score`, too, and reach their neighbours.
    dropout, rate, decay : of the training (AdamW).
    epochs, patience : at most so many passes; stop after so many without a better validation metric. A pass is one step
        where `batch` is 0, and on few labels the metric has lucky peaks: be patient.
    fan_out : neighbours drawn a node and relation in training, anew each time; 0 = all.
    batch : nodes a step; 0 = all at once. metric : that training stops by.
    seed : of everything drawn. device : `cpu`, `cuda`, `cuda:N` (bf16 autocast) or `mps`.

    Errors
    ------
    `UsageError` on settings or data that do not fit; `MissingExtraError` where training packages are missing;
    `NotReadyError` on scores before `fit`; `ArtefactError` on a damaged folder.

    Source: M. Schlichtkrull et al., *Modeling relational data with graph convolutional networks*, ESWC 2018, eq. 2,
    with the mean of W. Hamilton et al., *Inductive representation learning on large graphs*, NIPS 2017; attention of
    S. Brody et al., *How attentive are graph attention networks?*, ICLR 2022, eq. 7; shown labels of Y. Shi et al.,
    *Masked label prediction*, IJCAI 2021.
    """

    hidden: int = 64
    layers: int = 2
    attention: bool = False
    heads: int = 4
    shown: float = 0.0
    dropout: float = 0.2
    rate: float = 3e-3
    decay: float = 1e-4
    epochs: int = 400
    patience: int = 100
    fan_out: int = 16
    batch: int = 0
    metric: Literal["roc_auc", "average_precision"] = "average_precision"
    seed: int = 0
    device: str = "cpu"
    reached: dict[str, float] = field(default_factory=dict, init=False, repr=False)
    _weights: dict[str, Matrix] = field(default_factory=dict, init=False, repr=False)
    _preparation: Preparation | None = field(default=None, init=False, repr=False)
    _relations: tuple[str, ...] = field(default=(), init=False, repr=False)
    _outputs: int = field(default=1, init=False, repr=False)

    def __post_init__(self) -> None:
        faults = []
        if self.hidden < 1 or self.layers < 1 or self.heads < 1 or self.hidden % self.heads:
            faults.append(f"hidden={self.hidden}, layers={self.layers}, heads={self.heads}: heads must divide hidden")
        if not 0 <= self.shown < 1 or not 0 <= self.dropout < 1:
            faults.append(f"shown={self.shown}, dropout={self.dropout}: both from 0 to below 1")
        if self.fan_out < 0 or self.batch < 0 or self.epochs < 1 or self.patience < 1:
            faults.append("fan_out and batch from 0, epochs and patience from 1")
        if faults:
            raise UsageError("; ".join(faults))
        check_device(self.device)

    def fit(self, graph: Graph, labels: ArrayLike, training: ArrayLike, validation: ArrayLike) -> RelationalNetwork:
        """Learn from the training rows, stop by the validation rows.

        Parameters
        ----------
        labels : [n] or [n, O], 0, 1 or NaN for unknown; read in the given rows alone.
        training, validation : bool [n] or int rows, apart from one another.
        """
        wanted, held = check_rows(training, len(graph)), check_rows(validation, len(graph))
        if np.intersect1d(wanted, held).size:
            raise UsageError("rows both of training and of validation", allowed="rows of one or the other")
        targets = np.full_like(check_labels(labels, len(graph)), np.nan)
        targets[wanted], targets[held] = (
            check_labels(labels, len(graph))[wanted],
            check_labels(labels, len(graph))[held],
        )
        wanted, held = (rows[np.isfinite(targets[rows]).any(axis=1)] for rows in (wanted, held))
        for name, rows in (("training", wanted), ("validation", held)):
            if not len(rows):
                raise UsageError(f"no label in the {name} rows", fix="give labels, or use rings without labels")
        if not graph.relations:
            raise UsageError("a graph without relations", fix="give it at least one, or use a detector of tables")
        for package in ("torch", "torch_geometric"):
            if find_spec(package) is None:
                raise MissingExtraError(package, "train")
        from floorwalker.detectors.relation._torch import Plan, Task, train_network

        raw = with_degrees(graph)
        self._preparation = Preparation.fit(raw[wanted])
        task = Task(graph, self._preparation.apply(raw), targets, wanted, held)
        plan = Plan(
            hidden=self.hidden, layers=self.layers, attention=self.attention, heads=self.heads, dropout=self.dropout,
            rate=self.rate, decay=self.decay, epochs=self.epochs, patience=self.patience, fan_out=self.fan_out,
            batch=self.batch, shown=self.shown, metric=self.metric, seed=self.seed, device=self.device,
        )  # fmt: skip
        self._weights, self.reached = train_network(task, plan)
        self._relations, self._outputs = graph.names, targets.shape[1]
        return self

    def score(
        self, graph: Graph, nodes: ArrayLike | None = None, *, labels: ArrayLike | None = None, known: ArrayLike = ()
    ) -> Matrix:
        """Probability of each output: float32 [k], or [k, O] with several outputs.

        Parameters
        ----------
        graph : with the features and relations of training, in the same order; its nodes may be others.
        nodes : int [k], each once; None = all. Of few nodes only the surroundings are computed.
        labels, known : labels [n] or [n, O] and the rows (bool or int) that may be shown to the neighbours; read where
            the network was trained with `shown` labels. A node's own label is shown to itself, too: ask only about
            nodes whose label you do not give.
        """
        if self._preparation is None:
            raise NotReadyError("the network has learned nothing yet", fix="call fit or load first")
        if graph.names != self._relations:
            raise UsageError(f"relations {', '.join(graph.names)}", allowed=", ".join(self._relations))
        inputs = self._preparation.apply(with_degrees(graph))
        if self.shown:
            targets = check_labels(labels if labels is not None else np.full(len(graph), np.nan), len(graph))
            if targets.shape[1] != self._outputs:
                targets = np.repeat(targets, self._outputs, axis=1)
            inputs = np.hstack([inputs, show_labels(targets, check_rows(known, len(graph)))])
        block = whole_block(graph) if nodes is None else sample_block(graph, nodes, hops=self.layers)
        logits = _forward.forward(
            self._weights, inputs[block.nodes], block, layers=self.layers, attention=self.attention, heads=self.heads
        )
        scores = (1.0 / (1.0 + np.exp(-np.clip(logits.astype(np.float64), -60.0, 60.0)))).astype(np.float32)
        answer: Matrix = scores[:, 0] if self._outputs == 1 else scores
        return answer

    @property
    def relations(self) -> tuple[str, ...]:
        """Names of the relations that it was trained on."""
        return self._relations

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self._outputs

    def arrays(self) -> dict[str, Matrix]:
        """All that was learned, by name; `NotReadyError` before."""
        if self._preparation is None:
            raise NotReadyError("the network has learned nothing yet", fix="call fit first")
        return {
            **self._weights,
            "preparation.centre": self._preparation.centre,
            "preparation.spread": self._preparation.spread,
        }

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write the network as safetensors, its settings, and a manifest with these facts."""
        if self._preparation is None:
            raise NotReadyError("the network has learned nothing yet", fix="call fit first")
        from safetensors.numpy import save as pack

        arrays = {f"weights.{name}": np.ascontiguousarray(value) for name, value in self._weights.items()}
        arrays["preparation.centre"], arrays["preparation.spread"] = self._preparation.centre, self._preparation.spread
        settings = {name: value for name, value in asdict(self).items() if name in _SETTINGS}
        head = {
            "settings": settings, "relations": list(self._relations), "outputs": self._outputs, "reached": self.reached
        }  # fmt: skip
        files = {"network.safetensors": pack(arrays), "network.json": json.dumps(head, indent=2).encode()}
        save_artefact(folder, name=ARTEFACT, version=VERSION, files=files, facts=dict(facts or {}))

    @classmethod
    def load(cls, folder: Path) -> RelationalNetwork:
        """The network that `save` wrote; `ArtefactError` where it is damaged."""
        from safetensors.numpy import load as unpack

        artefact = load_artefact(folder, name=ARTEFACT, version=VERSION)
        try:
            head = json.loads(artefact.files["network.json"])
            arrays = unpack(artefact.files["network.safetensors"])
            network = cls(**head["settings"])
            network._relations, network._outputs = tuple(head["relations"]), int(head["outputs"])
            network._preparation = Preparation(arrays["preparation.centre"], arrays["preparation.spread"])
        except (KeyError, TypeError, ValueError) as broken:
            raise ArtefactError(f"{folder} holds no network: {broken}", fix="train it again") from broken
        network._weights = {
            name.removeprefix("weights."): value for name, value in arrays.items() if name.startswith("weights.")
        }
        network.reached = dict(head.get("reached", {}))
        return network


_SETTINGS = (
    "hidden", "layers", "attention", "heads", "shown", "dropout", "rate", "decay", "epochs", "patience", "fan_out",
    "batch", "metric", "seed", "device",
)  # fmt: skip
