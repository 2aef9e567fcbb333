"""How what is suspicious is shared out among the abuse types: the steps between two exponentials or logarithms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.kernels import kernel
from floorwalker.models._packed_kernels import sum_asked
from floorwalker.models._sums import add_up

_TINY = np.float32(1e-9)


@kernel
def ask_kinds(
    types: NDArray[np.int16],
    even: NDArray[np.float32],
    rarity: NDArray[np.float32],
    spoken: float,
    columns: NDArray[np.float32],
    links: NDArray[np.uint32],
    value: NDArray[np.float64],
    trees: NDArray[np.int64],
    starts: NDArray[np.int64],
    places: NDArray[np.int64],
    asked: NDArray[np.bool_],
    sums: NDArray[np.float64],
) -> bool:
    """Ask the models of abuse types about events of which is spoken, where more than one type is judged.

    Parameters
    ----------
    types : int16 [n], of the events.
    even : float32 [event types + 1, abuse types], 1 where a type is judged.
    rarity : float32 [n]; of at least `spoken` is spoken.
    columns : float32 [n, d].
    links, value, trees, starts : of the K models, as `sum_asked` takes them.
    places : int64 [K], the abuse types of the models.
    asked : bool [n, K], set where a model is asked about an event, else cleared.
    sums : float64 [n, K], what they say.

    Returns whether anything is asked.
    """
    found = False
    for row in range(len(types)):
        judged = even[types[row]]
        several = rarity[row] >= spoken and add_up(judged) > 1
        for model in range(len(places)):
            asked[row, model] = several and judged[places[model]] > 0
            sums[row, model] = 0.0
            found |= asked[row, model]
    if found:
        count, width = columns.shape
        sum_asked(columns.reshape(count * width), width, links, value, trees, starts, asked, sums)
    return found


@kernel
def share_out(
    types: NDArray[np.int16],
    even: NDArray[np.float32],
    places: NDArray[np.int64],
    asked: NDArray[np.bool_],
    said: NDArray[np.float64],
    whole: NDArray[np.float32],
    scores: NDArray[np.float32],
) -> None:
    """Each abuse type's part of the whole suspicion: `scores`, float32 [n, abuse types].

    Parameters
    ----------
    types, even, places, asked : as in `ask_kinds`.
    said : float64 [n, K], probabilities; read where `asked`.
    whole : float32 [n].
    """
    for row in range(len(types)):
        share = scores[row]
        share[:] = even[types[row]]
        for model in range(len(places)):
            if asked[row, model]:
                share[places[model]] = np.float32(max(said[row, model], 1e-6))
        portion = whole[row] / max(add_up(share), _TINY)
        for kind in range(len(share)):
            share[kind] *= portion


@kernel
def sum_scores(scores: NDArray[np.float32], whole: NDArray[np.float32]) -> None:
    """The suspicion that scores, float32 [n, abuse types], add up to: float32 [n]."""
    for row in range(len(scores)):
        whole[row] = add_up(scores[row])


@kernel
def spread_risk(
    scores: NDArray[np.float32], rarity: NDArray[np.float32], least: float, found: NDArray[np.float32]
) -> None:
    """Risk of each abuse type, float32 [n, abuse types]: the likeliest has all of it, the others as much less.

    Parameters
    ----------
    rarity : float32 [n], of what the scores add up to.
    least : risk below which none is told.
    """
    for row in range(len(scores)):
        highest = np.float32(0.0)
        for kind in range(scores.shape[1]):
            highest = max(highest, scores[row, kind])
        portion = rarity[row] / max(highest, _TINY)
        for kind in range(scores.shape[1]):
            risk = scores[row, kind] * portion
            found[row, kind] = risk if risk >= least else np.float32(0.0)
