"""How the opinions of the two streams become one: a logistic regression for each abuse type, held to their mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 10
"""Of either class, below which nothing is fitted."""
HELD = 5.0
"""How strongly the weights are held to the plain ones: as strongly as by five events."""
STEPS = 25


def fit_mixing(
    account: NDArray[np.float32],
    session: NDArray[np.float32],
    labels: NDArray[np.float32],
    *,
    fewest: int = FEWEST,
) -> NDArray[np.float32]:
    """float32 [3, K, 3]: with both streams, with the account alone, with the session alone: weight of the account's
    logit, of the session's, constant.

    Parameters
    ----------
    account, session : float32 [n, K], NaN where there is no such stream.
    labels : float32 [n, K], NaN where unknown.
    fewest : of either class, below which nothing is fitted.

    >>> nothing = np.full((1, 1), np.nan, np.float32)
    >>> fit_mixing(nothing, nothing, nothing)[0].tolist()
    [[0.5, 0.5, 0.0]]
    """
    k = labels.shape[1]
    plain = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    found = np.repeat(plain[:, None, :], k, axis=1)
    has = ~np.isnan(account[:, 0]), ~np.isnan(session[:, 0])
    for pattern, rows in enumerate((has[0] & has[1], has[0] & ~has[1], ~has[0] & has[1])):
        used = np.array([pattern != 2, pattern != 1, True])
        for label in range(k):
            known = np.flatnonzero(rows & ~np.isnan(labels[:, label]))
            if labels[known, label].sum() < fewest or (labels[known, label] == 0).sum() < fewest:
                continue
            inputs = np.stack([account[known, label], session[known, label], np.ones(len(known))], axis=1)[:, used]
            found[pattern, label, used] = _fit(
                inputs.astype(np.float64), labels[known, label].astype(np.float64), plain[pattern, used]
            )
    return found.astype(np.float32)


def _fit(inputs: NDArray[np.float64], target: NDArray[np.float64], prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """Newton's method; a weight below zero would let one stream acquit what the other accuses: it is set to zero."""
    weights = prior.copy()
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (chance - target) + HELD * (weights - prior)
        curvature = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + HELD * np.eye(len(prior))
        change = np.linalg.solve(curvature, gradient)
        weights = weights - change * min(1.0, 2.0 / max(float(np.abs(change).max()), 1e-12))
        weights[:-1] = np.clip(weights[:-1], 0.0, 3.0)
        if np.abs(change).max() < 1e-6:
            break
    return weights
