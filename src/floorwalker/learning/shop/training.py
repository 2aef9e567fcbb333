"""From a recorded history and what became known of it to a folder of models that `serve` loads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.detectors.transaction._rows import usual_values
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.detectors.unusual import LEAST_ROWS
from floorwalker.errors import UsageError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import EVENT_TYPES
from floorwalker.fusion.calibration import Calibration
from floorwalker.fusion.columns import column_names, fusion_columns
from floorwalker.fusion.stacked import ANY, StackedFusion
from floorwalker.learning.shop.drawing import draw_rows, first_opinions
from floorwalker.learning.shop.labels import proofs_of, spread_proofs
from floorwalker.learning.shop.recording import Recording
from floorwalker.learning.shop.signals import Signals, add_behaviour, add_unusual
from floorwalker.learning.shop.signals_live import add_content, add_context, add_relation, add_series
from floorwalker.learning.shop.suspicion import add_memory
from floorwalker.learning.shop.unproven import guess_unproven, is_company

MODALITIES: tuple[str, ...] = ("behaviour", "anomaly", "relation", "content", "series", "context", "memory")
"""Detectors beside the trees that can be trained on a recording."""
FEWEST = 8
"""Proven events below which an abuse type is not learned: the manifest says which."""
SHOPS_OWN = frozenset(
    {
        "payment_captured", "payment_voided", "order_shipped", "order_delivered", "refund_issued", "return",
        "dispute_retrieval", "dispute_chargeback", "dispute_won", "dispute_lost", "seller_payout", "challenge_result",
    }
)  # fmt: skip
"""What the shop or its bank does after all is decided: nobody asks whether to let it happen."""
_AGE = "account_age_seconds"
NEW, NEW_WEIGHT = 7 * 86_400, 3.0
"""Honest accounts younger than this, in seconds, weigh so much in the trees. Abusers' accounts are mostly young, honest
ones rarely: without it whoever is new is suspect for being new. Chosen on a validation part."""
MOST_ASIDE = 0.5
"""Most of the honest examples that are left out for their company."""
_FOREIGN = np.array([kind.name in SHOPS_OWN for kind in EVENT_TYPES] + [True])


@dataclass(frozen=True)
class TrainingPlan:
    """How a shop's models are made.

    Parameters
    ----------
    train_until, validation_until : µs UTC; models learn from events before the first, ranks and calibration come from
        events between both.
    known_at : labels observed before this instant count.
    modalities : of `MODALITIES`; the others' columns are absent.
    early_share : part of the training events from which detectors learn; the trees see their scores on the rest only.
    drop_out : share of rows from which each modality is taken in training.
    most_rows : events of unknown or honest nature that the trees learn from; the odd ones first.
    rounds, leaves, rate : of the trees.
    epochs : passes of the sequence model over its events.
    calibrate : probabilities instead of ranks, for types with at least 50 proven events between both times.
    threads : of the trees' growing; 0 takes all cores, which is slow where others work on them.
    seed : the only source of chance.
    device : of torch.
    graph_network : whether a network over neighbours is learned beside the columns of the live graph. It takes several
        times as long as these and, on simulated shops, adds nothing to what the trees make of them.
    guess : whether events that nobody judged count as abuse as far as a teacher guesses it
        (`floorwalker.learning.shop.unproven`); else they all count as honest.
    """

    train_until: int
    validation_until: int
    known_at: int | None = None
    modalities: tuple[str, ...] = MODALITIES
    early_share: float = 0.6
    drop_out: float = 0.05
    most_rows: int = 200_000
    rounds: int = 300
    leaves: int = 31
    rate: float = 0.06
    max_bin: int = 255
    calibrate: bool = False
    epochs: int = 6
    threads: int = 0
    seed: int = 0
    device: str = "cpu"
    graph_network: bool = False
    guess: bool = True

    def __post_init__(self) -> None:
        if self.validation_until < self.train_until:
            raise UsageError("validation ends before training does", allowed="train_until <= validation_until")
        unknown = sorted(set(self.modalities) - set(MODALITIES))
        if unknown:
            raise UsageError(f"unknown modality {unknown[0]!r}", allowed=", ".join(MODALITIES))


@dataclass(frozen=True)
class Trained:
    """What training gave.

    Parameters
    ----------
    fusion : the model.
    signals : what each modality says of every event.
    known : float32 [n, abuse types], the labels it learned from.
    proofs : the same without what only follows from proofs of other events.
    guessed : float32 [events learned from], how far events that were not proven themselves counted as abuse, NaN
        where they counted as nothing.
    facts : of the manifest: labels by type, what could not be learned, seconds.
    """

    fusion: StackedFusion
    signals: Signals
    known: NDArray[np.float32]
    proofs: NDArray[np.float32]
    guessed: NDArray[np.float32] | None
    facts: dict[str, Any]


def train_shop(
    recording: Recording,
    labels: pl.DataFrame,
    out: Path | None,
    plan: TrainingPlan,
    *,
    known: NDArray[np.float32] | None = None,
    signals: Signals | None = None,
    guessed: NDArray[np.float32] | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Trained:
    """Train detectors and fusion.

    Parameters
    ----------
    labels : as `floorwalker.learning.shop.labels` reads them.
    out : folder of the models; None keeps them in memory (the sequence model writes its artefact nowhere then).
    known : labels of every event, where the caller has them instead: float32 [n, abuse types].
    signals : what the modalities say, where they were trained before.
    guessed : how far unproven events count as abuse, where it was guessed before.

    Errors
    ------
    `UsageError` where no abuse type has `FEWEST` proven events, with how many there are of each.
    """
    proofs = proofs_of(recording, labels, known_at=plan.known_at) if known is None else known
    if known is None:
        known = spread_proofs(recording, proofs)
    learned_until = recording.place_of(plan.train_until)
    checked_until = recording.place_of(plan.validation_until)
    proven = {name: int((known[:learned_until, place] == 1).sum()) for place, name in enumerate(ABUSE_TYPES)}
    if max(proven.values()) < FEWEST:
        raise UsageError(
            f"proven events by abuse type: {proven}",
            allowed=f"at least {FEWEST} of one type before the validation part",
            fix="give more labels, or train without labels (--unsupervised)",
        )
    facts: dict[str, Any] = {
        "plan": asdict(plan),
        "data": fingerprint(recording),
        "events": {"all": len(recording), "learned": learned_until, "validation": checked_until - learned_until},
        "proven": proven,
        "not_learned": [name for name, count in proven.items() if count < FEWEST],
    }
    early = int(learned_until * plan.early_share)
    if signals is None:
        signals = learn_signals(recording, known, out, plan, until=early, facts=facts, progress=progress)
        if "memory" in plan.modalities:
            memory = add_memory(
                recording,
                out if out is not None else recording.folder / "models",
                known,
                relevant_types(recording, known, learned_until),
                until=learned_until,
                seed=plan.seed,
                threads=plan.threads,
                facts=facts,
                progress=progress,
                beside=next((each for each in signals.modalities if each.name == "context"), None),
            )
            signals.modalities += [memory] if memory is not None else []
    if guessed is None and plan.guess:
        progress("fusion: guessing what nobody proved")
        guessed = _guess(recording, known, proofs, signals, plan, learned_until)
    if guessed is not None:
        facts["guessed"] = {"abuse": float(np.nansum(guessed)), "left_out": int(np.isnan(guessed).sum())}
    progress("fusion: gathering rows")
    fusion = fuse_rows(recording, known, signals, plan, learned_until=learned_until, guessed=guessed)
    progress("fusion: ranks")
    rank_fusion(recording, known, signals, fusion, learned_until, checked_until, plan)
    if out is not None:
        fusion.save(out / "fusion", facts=facts | {"signals": list(signals.outputs)})
    return Trained(fusion, signals, known, proofs, guessed, facts)


def train_without_labels(
    recording: Recording, out: Path, plan: TrainingPlan, *, progress: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Learn what needs no labels: what follows what in the events of accounts and sessions, and how surprising it is.

    Answers the facts of the manifest. What abuse is, nobody said; the risk of such models is an order of surprise.
    """
    facts: dict[str, Any] = {
        "plan": asdict(plan), "data": fingerprint(recording), "events": {"all": len(recording)}, "labels": "none",
    }  # fmt: skip
    known = np.full((len(recording), len(ABUSE_TYPES)), np.nan, np.float32)
    learned_until = recording.place_of(plan.train_until)
    learn_signals(recording, known, out, plan, until=learned_until, facts=facts, progress=progress)
    return facts


def learn_signals(
    recording: Recording,
    known: NDArray[np.float32],
    out: Path | None,
    plan: TrainingPlan,
    *,
    until: int,
    facts: dict[str, Any],
    progress: Callable[[str], None],
) -> Signals:
    """Train the modalities on the events before place `until` and let them speak of all."""
    signals = Signals()
    folder = out if out is not None else recording.folder / "models"
    if "behaviour" in plan.modalities:
        signals.modalities.append(
            add_behaviour(
                recording,
                folder,
                known,
                until=until,
                seed=plan.seed,
                device=plan.device,
                facts=facts,
                progress=progress,
                epochs=plan.epochs,
            )
        )
    if "anomaly" in plan.modalities and until < LEAST_ROWS:
        progress(f"anomaly: {until} events are too few, {LEAST_ROWS} are needed; left out")
    elif "anomaly" in plan.modalities:
        progress("anomaly: isolation forest")
        signals.modalities.append(add_unusual(recording, folder, until=until, seed=plan.seed))
    if "relation" in plan.modalities:
        signals.modalities.append(
            add_relation(
                recording, folder, known, until=until, seed=plan.seed, device=plan.device,
                network=plan.graph_network, facts=facts, progress=progress,
            )
        )  # fmt: skip
    for name, add in (("content", add_content), ("series", add_series), ("context", add_context)):
        if name in plan.modalities:
            signals.modalities.append(add(recording, folder, facts=facts, progress=progress))
    return signals


def relevant_types(recording: Recording, known: NDArray[np.float32], until: int) -> NDArray[np.bool_]:
    """At which types of event each abuse type was proven: bool [event types + 1, abuse types]."""
    found = np.zeros((len(EVENT_TYPES) + 1, len(ABUSE_TYPES)), np.bool_)
    for place in range(len(ABUSE_TYPES)):
        proven = np.flatnonzero(known[:until, place] == 1)
        if len(proven) >= FEWEST:
            counts = np.bincount(recording.type[proven], minlength=len(EVENT_TYPES) + 1)
            found[:, place] = (counts >= max(2, 0.01 * len(proven))) & ~_FOREIGN
    return found


def _guess(
    recording: Recording,
    known: NDArray[np.float32],
    proofs: NDArray[np.float32],
    signals: Signals,
    plan: TrainingPlan,
    until: int,
) -> NDArray[np.float32] | None:
    odd = first_opinions(signals, until)
    if odd is None:
        return None
    proven, judged = _proven(recording, known, until)
    themselves: NDArray[np.bool_] = np.asarray((proofs[:until] == 1).any(axis=1)) & judged
    # Whom somebody called honest nobody guesses about.
    open_to_guess = judged & (proven | np.isnan(known[:until]).all(axis=1))
    return guess_unproven(
        recording, signals, themselves, proven, open_to_guess, odd,
        most_rows=plan.most_rows * 8 // 5, seed=plan.seed, threads=plan.threads,
    )  # fmt: skip


def _proven(
    recording: Recording, known: NDArray[np.float32], until: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of the events before a place: which were proven, and which are of a type at which abuse is looked for."""
    relevant = relevant_types(recording, known, until)
    judged: NDArray[np.bool_] = np.asarray(relevant[recording.type[:until]].any(axis=1))
    proven: NDArray[np.bool_] = np.asarray((known[:until] == 1).any(axis=1)) & judged
    return proven, judged


def _lessons(
    recording: Recording,
    known: NDArray[np.float32],
    signals: Signals,
    plan: TrainingPlan,
    until: int,
    guessed: NDArray[np.float32] | None,
    relevant: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """What the trees are told: places of events, rising, some twice; float64 [rows, 1 + abuse types], whether it is
    abuse and of which type, NaN where nobody knows; and weights."""
    proven, judged = _proven(recording, known, until)
    rows, standing = draw_rows(proven, judged, first_opinions(signals, until), plan.most_rows, rng)
    kinds = (known[rows] == 1) & relevant[recording.type[rows]]
    bad = kinds.any(axis=1)
    # Together the others weigh as many as were drawn: trees that see one proof among hundreds learn slowly.
    standing[~bad] *= (~bad).sum() / max(float(standing[~bad].sum()), 1.0)
    if _AGE in recording.names:
        age = np.asarray(recording.features[rows, recording.names.index(_AGE)])
        standing[~bad & (age < NEW)] *= NEW_WEIGHT
    share = np.where(bad, 1.0, 0.0)
    if guessed is not None:
        # What was proven itself has no guess.
        share = np.where(bad & (guessed[rows] == 0), 1.0, guessed[rows])
    # Proven of a kind that is not looked for at such events: an example of neither.
    share[proven[rows] & ~bad] = np.nan
    # What the same hands did besides prepares for it, more often than not: no example of honest people.
    guilty: NDArray[np.bool_] = (known[:until] == 1).any(axis=1)
    if guessed is not None:
        guilty = guilty | (guessed > 0)
    aside = (share == 0) & is_company(recording, rows, guilty)
    # Where most share what they have with somebody guilty, it says nothing of them, and somebody has to be honest.
    if aside.sum() <= MOST_ASIDE * (share == 0).sum():
        share[aside] = np.nan
    # Of a proven event it is known of which kind it is, also where it is not sure enough to be called abuse.
    once = np.flatnonzero(~np.isnan(share) | bad)
    share, standing, rows = share[once], standing[once], rows[once]
    sort = np.where(bad[once, None], kinds[once], np.nan)
    # Whom the teacher found weighs as a proof. Who is guessed to be guilty by a third is told of twice: as guilty by a
    # third, as honest by the rest.
    standing = np.where(share > 0, 1.0, standing)
    twice = np.flatnonzero((share > 0) & (share < 1))
    abuse = np.r_[np.where((share > 0) & (share < 1), 0.0, share), np.ones(len(twice))]
    weights = np.r_[standing * np.where((share > 0) & (share < 1), 1.0 - share, 1.0), standing[twice] * share[twice]]
    label = np.column_stack([abuse, np.r_[sort, sort[twice]]])
    rows = np.r_[rows, rows[twice]]
    order = np.argsort(rows, kind="stable")
    return rows[order], label[order], weights[order]


def fuse_rows(
    recording: Recording,
    known: NDArray[np.float32],
    signals: Signals,
    plan: TrainingPlan,
    *,
    learned_until: int,
    guessed: NDArray[np.float32] | None = None,
    columns: NDArray[np.intp] | None = None,
) -> StackedFusion:
    """Grow the trees on proven events and a sample of the others.

    Parameters
    ----------
    guessed : as `Trained`; without it what follows from proofs is abuse, and all else honest.
    columns : places of the columns to learn from, the others are made missing: for what a modality does alone.
    """
    rng = np.random.default_rng(plan.seed)
    relevant = relevant_types(recording, known, learned_until)
    rows, label, weights = _lessons(recording, known, signals, plan, learned_until, guessed, relevant, rng)
    said = signals.drop_out(signals.rows(rows), plan.drop_out, rng)
    matrix = fusion_columns(
        np.asarray(recording.features[rows]), np.asarray(recording.numbers[rows]), recording.type[rows], said
    )
    if columns is not None:
        mask = np.ones(matrix.shape[1], np.bool_)
        mask[columns] = False
        matrix[:, mask] = np.nan
    trees = BoostedTrees(
        rounds=plan.rounds, leaves=plan.leaves, rate=plan.rate, max_bin=plan.max_bin, column_share=0.5, l2=5.0,
        metric="average_precision", blind_rounds=max(20, plan.rounds // 2), seed=plan.seed,
        threads=plan.threads,
    )  # fmt: skip
    trees.fit(
        matrix,
        label,
        names=column_names(recording.names, signals.outputs),
        outputs=(ANY, *ABUSE_TYPES),
        weights=weights,
        at=recording.at[rows],
    )
    # Odd events were drawn more often than they are.
    ordinary = np.where(label[:, 0] == 0, weights, 0.0)
    if ordinary.any():
        drawn = rng.choice(len(rows), min(len(rows), 20_000), p=ordinary / ordinary.sum())
        trees.usual = usual_values(matrix[drawn], np.ones(len(drawn), np.bool_))
    return StackedFusion(trees, relevant, None, {})


def score_all(
    recording: Recording,
    signals: Signals,
    fusion: StackedFusion,
    start: int,
    stop: int,
    *,
    without: Sequence[str] = (),
) -> NDArray[np.float32]:
    """Scores of the events at these places: float32 [stop - start, abuse types]."""
    found = np.zeros((stop - start, len(ABUSE_TYPES)), np.float32)
    for rows, matrix in _judged_rows(recording, signals, fusion, start, stop, without):
        found[rows - start] = fusion.scores(matrix, recording.type[rows])
    return found


def _judged_rows(
    recording: Recording, signals: Signals, fusion: StackedFusion, start: int, stop: int, without: Sequence[str] = ()
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """The events that fusion judges, in pieces: their places and columns."""
    judged = np.asarray(fusion.relevant.any(axis=1))
    for first in range(start, stop, 20_000):
        last = min(first + 20_000, stop)
        inside = np.flatnonzero(judged[recording.type[first:last]])
        if len(inside):
            rows = first + inside
            yield (
                rows,
                fusion_columns(
                    np.asarray(recording.features[first:last])[inside],
                    np.asarray(recording.numbers[first:last])[inside],
                    recording.type[rows],
                    signals.rows(rows, without=without),
                ),
            )


def rank_fusion(
    recording: Recording,
    known: NDArray[np.float32],
    signals: Signals,
    fusion: StackedFusion,
    start: int,
    stop: int,
    plan: TrainingPlan,
) -> None:
    """Give a fusion the ranks of the events at places `start` to `stop` that nobody proved.

    Where the plan asks for probabilities and 50 of them were proven, they are learned there as well.
    """
    if stop <= start:
        return
    proven = (known[start:stop] == 1).any(axis=1)
    judged = np.asarray(fusion.relevant[recording.type[start:stop]].any(axis=1))
    whole = np.zeros(stop - start, np.float32)
    for rows, matrix in _judged_rows(recording, signals, fusion, start, stop):
        whole[rows - start] = fusion.suspect(matrix, recording.type[rows])
    ordinary = judged & ~proven
    if ordinary.any():
        fusion.ranks = fusion.ranks_of(whole[ordinary], stop - start)
    if not plan.calibrate:
        return
    scores = score_all(recording, signals, fusion, start, stop)
    for place, name in enumerate(ABUSE_TYPES):
        here = fusion.relevant[recording.type[start:stop], place]
        bad = known[start:stop, place] == 1
        if bad.sum() >= 50:
            fusion.calibrations[name] = Calibration.fit(scores[here, place], bad[here])


def fingerprint(recording: Recording) -> str:
    """What data this is: a hash of times and types."""
    digest = hashlib.blake2b(digest_size=12)
    digest.update(recording.at.tobytes())
    digest.update(recording.type.tobytes())
    digest.update(json.dumps(recording.names).encode())
    return digest.hexdigest()
