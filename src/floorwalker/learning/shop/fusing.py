"""The fused model: the lessons that it is told, its trees, and what their scores come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction._rows import usual_values
from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import EVENT_TYPES
from floorwalker.fusion.calibration import Calibration
from floorwalker.fusion.columns import column_names, fusion_columns
from floorwalker.fusion.stacked import ANY, HANDS, StackedFusion
from floorwalker.learning.shop.drawing import draw_rows, first_opinions
from floorwalker.learning.shop.plan import TrainingPlan
from floorwalker.learning.shop.recording import Recording
from floorwalker.learning.shop.signals import Signals
from floorwalker.learning.shop.unproven import is_company
from floorwalker.metrics import average_precision

FEWEST_CHECKED = 100
"""Proven events of the validation part below which it decides nothing."""
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


def relevant_types(recording: Recording, known: NDArray[np.float32], until: int) -> NDArray[np.bool_]:
    """At which types of event each abuse type was proven: bool [event types + 1, abuse types]."""
    found = np.zeros((len(EVENT_TYPES) + 1, len(ABUSE_TYPES)), np.bool_)
    for place in range(len(ABUSE_TYPES)):
        proven = np.flatnonzero(known[:until, place] == 1)
        if len(proven) >= FEWEST:
            counts = np.bincount(recording.type[proven], minlength=len(EVENT_TYPES) + 1)
            found[:, place] = (counts >= max(2, 0.01 * len(proven))) & ~_FOREIGN
    return found


def proven_rows(
    recording: Recording, known: NDArray[np.float32], until: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of the events before a place: which were proven, and which are of a type at which abuse is looked for."""
    relevant = relevant_types(recording, known, until)
    judged: NDArray[np.bool_] = np.asarray(relevant[recording.type[:until]].any(axis=1))
    proven: NDArray[np.bool_] = np.asarray((known[:until] == 1).any(axis=1)) & judged
    return proven, judged


def lessons_of(
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
    proven, judged = proven_rows(recording, known, until)
    rows, standing = draw_rows(proven, judged, first_opinions(signals, until), plan.most_rows, rng)
    kinds = (known[rows] == 1) & relevant[recording.type[rows]]
    bad = kinds.any(axis=1)
    standing = lessons_weight(recording, rows, standing, bad)
    share = np.where(bad, 1.0, 0.0)
    if guessed is not None:
        # What was proven itself has no guess.
        share = np.where(bad & (guessed[rows] == 0), 1.0, guessed[rows])
    # Proven of a kind that is not looked for at such events: an example of neither.
    share[proven[rows] & ~bad] = np.nan
    # What the same hands did besides prepares for it, more often than not: no example of honest people.
    aside = (share == 0) & is_company(recording, rows, guilty_events(known, guessed, until))
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


def guilty_events(known: NDArray[np.float32], guessed: NDArray[np.float32] | None, until: int) -> NDArray[np.bool_]:
    """Of the events before a place: which were proven to be abuse, or guessed to be in any part: bool [until]."""
    guilty: NDArray[np.bool_] = (known[:until] == 1).any(axis=1)
    return guilty if guessed is None else guilty | (guessed > 0)


def lesson_columns(
    recording: Recording,
    signals: Signals,
    plan: TrainingPlan,
    rows: NDArray[np.int64],
    rng: np.random.Generator,
    columns: NDArray[np.intp] | None = None,
) -> NDArray[np.float32]:
    """What the trees see of the events at these places: float32 [len(rows), columns].

    Parameters
    ----------
    rng : of modality dropout. columns : as `fuse_rows`.
    """
    said = signals.drop_out(signals.rows(rows), plan.drop_out, rng)
    matrix = fusion_columns(
        np.asarray(recording.features[rows]), np.asarray(recording.numbers[rows]), recording.type[rows], said
    )
    if columns is None:
        columns = signals.heard(matrix.shape[1])
    mask = np.ones(matrix.shape[1], np.bool_)
    mask[columns] = False
    matrix[:, mask] = np.nan
    return matrix


def lessons_weight(
    recording: Recording, rows: NDArray[np.int64], standing: NDArray[np.float64], bad: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What each lesson weighs: float64 [len(rows)].

    Parameters
    ----------
    standing : how many events each stands for; bad : which are abuse.
    """
    weights = standing.copy()
    # Together the others weigh as many as were drawn: trees that see one proof among hundreds learn slowly.
    weights[~bad] *= (~bad).sum() / max(float(weights[~bad].sum()), 1.0)
    if _AGE in recording.names:
        age = np.asarray(recording.features[rows, recording.names.index(_AGE)])
        weights[~bad & (age < NEW)] *= NEW_WEIGHT
    return weights


def trees_of_plan(plan: TrainingPlan) -> BoostedTrees:
    """The trees that the plan asks for, not grown yet."""
    return BoostedTrees(
        rounds=plan.rounds, leaves=plan.leaves, rate=plan.rate, max_bin=plan.max_bin, column_share=0.5, l2=5.0,
        metric="average_precision", blind_rounds=max(20, plan.rounds // 2), seed=plan.seed,
        threads=plan.threads,
    )  # fmt: skip


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
    columns : places of the columns to learn from, the others are made missing: for what a modality does alone; without
        it all but those that `Signals.left_out` names.
    """
    rng = np.random.default_rng(plan.seed)
    relevant = relevant_types(recording, known, learned_until)
    rows, label, weights = lessons_of(recording, known, signals, plan, learned_until, guessed, relevant, rng)
    matrix = lesson_columns(recording, signals, plan, rows, rng, columns)
    trees = trees_of_plan(plan)
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


def fuse_best(
    recording: Recording,
    known: NDArray[np.float32],
    signals: Signals,
    plan: TrainingPlan,
    *,
    edges: tuple[int, int],
    guessed: NDArray[np.float32] | None,
    progress: Callable[[str], None],
) -> StackedFusion:
    """As `fuse_rows`, with or without each modality that learned from labels itself, as the validation part says.

    Such a modality speaks of the later part of what is learned from alone, where fewer labels have come in yet; what it
    adds may be less than what the trees mistake about that. The proven events of the validation part, none of which
    was learned from, decide; what is left out stands in `Signals.left_out`, and still answers for itself.

    Parameters
    ----------
    edges : places at which the validation part begins and ends.
    """
    best = fuse_rows(recording, known, signals, plan, learned_until=edges[0], guessed=guessed)
    doubtful = [each.name for each in signals.modalities if each.unlearned < len(each.outputs)]
    validation = slice(*edges)
    judged = np.asarray(best.relevant[recording.type[validation]].any(axis=1))
    if not doubtful or int((judged & (known[validation] == 1).any(axis=1)).sum()) < FEWEST_CHECKED:
        return best
    most = _precision(recording, known, signals, best, *edges)
    for name in doubtful:
        signals.left_out = (*signals.left_out, name)
        tried = fuse_rows(recording, known, signals, plan, learned_until=edges[0], guessed=guessed)
        found = _precision(recording, known, signals, tried, *edges)
        progress(f"fusion: average precision {most:.3f} in the validation part, {found:.3f} without {name}")
        if found > most:
            best, most = tried, found
        else:
            signals.left_out = signals.left_out[:-1]
    return best


def _precision(
    recording: Recording,
    known: NDArray[np.float32],
    signals: Signals,
    fusion: StackedFusion,
    start: int,
    stop: int,
) -> float:
    """Average precision at these places, of what was proven among all that is judged."""
    proven = (known[start:stop] == 1).any(axis=1)
    judged = np.asarray(fusion.relevant[recording.type[start:stop]].any(axis=1))
    whole = np.zeros(stop - start, np.float32)
    for rows, matrix in _judged_rows(recording, signals, fusion, start, stop):
        whole[rows - start] = fusion.suspect(matrix, recording.type[rows])
    return average_precision(proven[judged], whole[judged])


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


def suspect_all(
    recording: Recording, signals: Signals, fusion: StackedFusion, start: int, stop: int, scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How suspicious the events at these places make whoever did them: float32 [stop - start], as
    `StackedFusion.suspicion`.

    Parameters
    ----------
    scores : as `score_all` gives them of the same places.
    """
    found = np.zeros(stop - start, np.float32)
    for first in range(start, stop, 20_000):
        last = min(first + 20_000, stop)
        whole = np.minimum(scores[first - start : last - start].sum(axis=1), 1.0).astype(np.float32)
        # Of the others nobody asks for the second opinion.
        asked = np.flatnonzero(fusion.speaks_of(whole))
        rows = first + asked
        columns = fusion_columns(
            np.asarray(recording.features[first:last])[asked], np.asarray(recording.numbers[first:last])[asked],
            recording.type[rows], signals.rows(rows),
        )  # fmt: skip
        found[rows - start] = fusion.suspicion(whole[asked], columns)
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
    whole, theirs = np.zeros(stop - start, np.float32), np.zeros(stop - start, np.float32)
    for rows, matrix in _judged_rows(recording, signals, fusion, start, stop):
        whole[rows - start] = fusion.suspect(matrix, recording.type[rows])
        if fusion.hands is not None:
            theirs[rows - start] = fusion.hands.trees(HANDS).score(matrix)
    ordinary = judged & ~proven
    if ordinary.any():
        fusion.ranks = fusion.ranks_of(whole[ordinary], stop - start)
        if fusion.hands is not None:
            fusion.hand_ranks = fusion.ranks_of(theirs[ordinary], stop - start)
    if not plan.calibrate:
        return
    scores = score_all(recording, signals, fusion, start, stop)
    for place, name in enumerate(ABUSE_TYPES):
        here = fusion.relevant[recording.type[start:stop], place]
        bad = known[start:stop, place] == 1
        if bad.sum() >= 50:
            fusion.calibrations[name] = Calibration.fit(scores[here, place], bad[here])
