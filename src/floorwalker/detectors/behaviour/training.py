"""Learn a shop's behaviour model from its history, or from a simulated one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._labels import soft_loss
from floorwalker.detectors.behaviour._mixing import fit_mixing
from floorwalker.detectors.behaviour.model import BehaviourModel
from floorwalker.detectors.behaviour.streams import STREAMS, Stream, make_stream
from floorwalker.detectors.behaviour.tokens import SHOP_FIELDS, ShopTokens
from floorwalker.detectors.behaviour.weights import LstmWeights
from floorwalker.errors import InputError
from floorwalker.events.abuse import ABUSE_TYPES

if TYPE_CHECKING:
    from floorwalker.detectors.behaviour._training import Progress

RANKS = 512
MOST_EVENTS = 1_000_000
LEAST_EVENTS = 100
"""Events below which there is nothing to learn from."""


def train_behaviour(
    history: ShopTokens,
    labels: NDArray[np.float32],
    *,
    validation_from: int,
    hidden: int = 64,
    embedding: int = 32,
    epochs: int = 12,
    rate: float = 5e-3,
    patience: int = 3,
    foresee: float = 0.05,
    most_events: int = MOST_EVENTS,
    seed: int = 0,
    device: str = "cpu",
    teacher: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    distil: float = 0.5,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> BehaviourModel:
    """Train both LSTMs on the events before `validation_from`; the later ones decide when to stop.

    Parameters
    ----------
    history : n events in journal order.
    labels : float32 [n, 9], abuse of each event in the order of `ABUSE_TYPES`: 1, 0, or NaN where it is not known.
    validation_from : place in history where the validation part begins; what the LSTMs say there also decides how they
        are put together, and what counts as a surprise.
    hidden, embedding, epochs, rate, patience, foresee : as for `SequenceLSTM`.
    most_events : of each stream that are learned from in an epoch: sequences without abuse are drawn, and count more.
    seed : the only source of chance.
    device : ``cpu``, ``cuda`` or ``cuda:N``.
    teacher : logits of account and session sequences that the LSTMs should imitate, float32 [n, 9] each (see
        `transformer`); NaN where there is no such sequence.
    distil : weight of the imitation.
    checkpoint : folder; a training that was broken off goes on from there.
    progress : told of the stage, the epochs done, of how many, and the validation's loss.

    Errors
    ------
    `InputError` for labels of another shape, other values, or too few events; `MissingExtraError` without PyTorch.
    """
    from floorwalker.detectors.behaviour._torch import import_torch, training_group

    import_torch()
    from floorwalker.detectors.behaviour._lstm_training import LstmPlan, train_lstm
    from floorwalker.detectors.behaviour._training import Loop

    labels = _checked(labels, history, validation_from)
    if not (history.account.any() or history.session.any()):
        raise InputError("no event has an account or a session", allowed="events of somebody")
    digest = hashlib.sha256(history.at.tobytes() + history.tokens.tobytes() + labels.tobytes()).hexdigest()
    trained: dict[str, LstmWeights] = {}
    with training_group(device) as group:
        for place, kind in enumerate(STREAMS):
            stream = make_stream(history, kind)
            if not len(stream.rows):
                # A shop may have no sessions, or no accounts: then nobody will ask.
                trained[kind] = LstmWeights.blank(SHOP_FIELDS, hidden, len(ABUSE_TYPES))
                continue
            picked, weights = draw_sequences(
                stream, labels, validation_from, most_events, np.random.default_rng((seed, place))
            )
            past = picked.sequences.head(_lengths_before(picked, validation_from))
            early = picked.rows < validation_from
            coming = _validation_part(stream, validation_from, most_events // 4, np.random.default_rng((seed, 7)))
            late = coming.rows >= validation_from
            wanted = labels[coming.rows[late]]

            def validate(
                candidate: LstmWeights, coming: Stream = coming, late: NDArray[np.bool_] = late,
                wanted: NDArray[np.float32] = wanted,
            ) -> float:  # fmt: skip
                ran = candidate.run(coming.sequences)
                unforeseen = float(ran.surprise[late].mean())
                return soft_loss(ran.logits[late], wanted, np.ones(len(wanted), np.float32)) + 0.002 * unforeseen

            plan = LstmPlan(
                hidden=hidden, embedding=embedding, foresee=foresee,
                batch_events=int(np.clip(early.sum() // 64, 256, 8192)),
                loop=Loop(epochs=epochs, rate=rate, patience=patience, seed=seed),
            )  # fmt: skip
            trained[kind] = train_lstm(
                past, labels[picked.rows[early]], weights[early], plan, name=kind,
                validate=validate if late.any() else None, group=group, fingerprint=f"{digest} {plan}",
                teacher=None if teacher is None else np.nan_to_num(teacher[place][picked.rows[early]]),
                distil=distil if teacher is not None else 0.0, checkpoint=checkpoint, progress=progress,
            )  # fmt: skip
    return assemble(trained["account"], trained["session"], history, labels, validation_from)


def assemble(
    account: LstmWeights,
    session: LstmWeights,
    history: ShopTokens,
    labels: NDArray[np.float32],
    validation_from: int,
) -> BehaviourModel:
    """Put the streams' opinions together by what they say of the validation part."""
    k = len(ABUSE_TYPES)
    plain = BehaviourModel(account, session, np.zeros((3, k, 3), np.float32), np.zeros((2, 1), np.float32))
    since = validation_from if validation_from < len(history) else 0
    logits, surprises = plain.logits_of(history, since=since)
    late = slice(since, None)
    ranks = []
    for each in surprises:
        known = each[late][~np.isnan(each[late])]
        # Where nothing was seen, nothing is known to be a surprise.
        ranks.append(np.quantile(known, np.linspace(0, 1, RANKS)) if len(known) else np.full(RANKS, np.inf))
    mixing = fit_mixing(logits[0][late], logits[1][late], labels[late])
    return BehaviourModel(account, session, mixing, np.array(ranks, np.float32))


def draw_sequences(
    stream: Stream, labels: NDArray[np.float32], before: int, most: int, rng: np.random.Generator
) -> tuple[Stream, NDArray[np.float32]]:
    """Sequences to learn from: all with abuse before `before`, and as many others as there is room for.

    Returns them with weights of their events, float32: those drawn stand for those that were not.
    """
    counted = stream.rows < before
    bad = np.zeros(len(stream.rows), np.int64)
    bad[counted] = (labels[stream.rows[counted]] > 0).any(axis=1)
    starts = stream.sequences.starts
    abusive = np.diff(np.concatenate([[0], np.cumsum(bad)])[starts]) > 0
    sizes = np.diff(np.concatenate([[0], np.cumsum(counted)])[starts])
    others = np.flatnonzero(~abusive & (sizes > 0))
    room = max(most - int(sizes[abusive].sum()), most // 2)
    share = min(room / max(int(sizes[others].sum()), 1), 1.0)
    drawn = others[rng.random(len(others)) < share]
    chosen = np.sort(np.concatenate([np.flatnonzero(abusive), drawn]))
    weight = np.where(abusive[chosen], 1.0, 1.0 / share if share > 0 else 1.0)
    picked = stream.pick(chosen)
    return picked, weight[picked.sequences.owners].astype(np.float32)


def _validation_part(stream: Stream, since: int, most: int, rng: np.random.Generator) -> Stream:
    """Whole sequences that reach into the validation part, drawn at random, of about `most` events in all."""
    reaching = stream.reaching(since)
    total = len(reaching.rows)
    if total <= most:
        return reaching
    return reaching.pick(np.flatnonzero(rng.random(len(reaching.sequences)) < most / total))


def _lengths_before(stream: Stream, before: int) -> NDArray[np.int64]:
    sums = np.concatenate([[0], np.cumsum(stream.rows < before)])
    lengths: NDArray[np.int64] = np.diff(sums[stream.sequences.starts])
    return lengths


def _checked(labels: NDArray[np.float32], history: ShopTokens, validation_from: int) -> NDArray[np.float32]:
    labels = np.asarray(labels, np.float32)
    if labels.shape != (len(history), len(ABUSE_TYPES)):
        raise InputError(f"labels of shape {labels.shape}", allowed=f"({len(history)}, {len(ABUSE_TYPES)})")
    if not np.isin(labels[~np.isnan(labels)], (0.0, 1.0)).all():
        raise InputError("labels other than 0 and 1", allowed="0 = none, 1 = abuse, NaN = unknown")
    if not LEAST_EVENTS <= validation_from <= len(history):
        raise InputError(
            f"{validation_from} events to learn from", allowed=f"at least {LEAST_EVENTS}, at most {len(history)}"
        )
    return labels
