"""A multi-layer perceptron: the deep network of the classical list, at the size that tables of features need."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.classical._base import Arrays, Classical, Rows, balance, sigmoid
from floorwalker.detectors.transaction.classical._scaling import learn_scaling, scale


class MultiLayerPerceptron(Classical):
    """Two hidden layers of rectified units over scaled columns, both classes of equal weight, learned with Adam.

    Parameters
    ----------
    hidden : units of each hidden layer.
    epochs : passes over the training rows.
    seed, most_rows : as for every classical detector.
    """

    name: ClassVar[str] = "mlp"
    source: ClassVar[str] = "Rumelhart, Hinton, Williams 1986; Kingma, Ba 2015 (Adam)"

    def __init__(
        self, *, hidden: tuple[int, ...] = (64, 32), epochs: int = 12, seed: int = 0, most_rows: int = 100_000
    ) -> None:
        super().__init__(seed=seed, most_rows=most_rows)
        self.hidden, self.epochs = hidden, epochs

    def _learn(self, rows: Rows, fraud: NDArray[np.bool_], weights: NDArray[np.float64]) -> Arrays:
        from sklearn.neural_network import MLPClassifier

        arrays = learn_scaling(rows)
        scaled, heavy = scale(rows, arrays), balance(fraud, weights)
        batch = min(len(rows), int(np.clip(len(rows) // 20, 16, 256)))
        learner = MLPClassifier(
            hidden_layer_sizes=self.hidden, alpha=1e-3, batch_size=batch, learning_rate_init=2e-3,
            random_state=self.seed,
        )  # fmt: skip
        random = np.random.default_rng(self.seed)
        # Few rows are few steps a pass: up to five times as many passes make up for it.
        for _ in range(self.epochs * int(np.clip(10_000 // len(rows), 1, 5))):
            order = random.permutation(len(rows))
            learner.partial_fit(scaled[order], fraud[order], classes=[False, True], sample_weight=heavy[order])
        for number, (weight, bias) in enumerate(zip(learner.coefs_, learner.intercepts_, strict=True)):
            arrays |= {f"weight_{number}": weight, f"bias_{number}": bias}
        return arrays | {"layers": np.array([len(learner.coefs_)])}

    def _judge(self, rows: Rows) -> NDArray[np.float64]:
        arrays = self._arrays
        values = scale(rows, arrays)
        layers = int(arrays["layers"][0])
        for number in range(layers):
            values = values @ arrays[f"weight_{number}"] + arrays[f"bias_{number}"]
            if number < layers - 1:
                values = np.maximum(values, 0.0)
        return sigmoid(values[:, 0])
