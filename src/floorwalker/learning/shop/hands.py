"""The second opinion of the fused model: whether an event is of the hands of somebody guilty.

Most of what an abuser does takes nothing yet: the sign-up, the address, the first looks around. The fused model learns
from what does harm, and leaves the rest out of its lessons. These trees learn from all that the visits and devices of
proven and guessed abuse did, harmful or not, so that somebody who only prepares comes before those who merely look odd.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.fusion.columns import column_names
from floorwalker.fusion.stacked import HANDS, StackedFusion
from floorwalker.learning.shop.drawing import draw_rows, first_opinions
from floorwalker.learning.shop.fusing import MOST_ASIDE, guilty_events, lesson_columns, lessons_weight, trees_of_plan
from floorwalker.learning.shop.plan import TrainingPlan
from floorwalker.learning.shop.recording import Recording
from floorwalker.learning.shop.signals import Signals
from floorwalker.learning.shop.unproven import is_company

FEWEST_HANDS = 150
"""Events of guilty hands below which nothing is learned."""


def learn_hands(
    recording: Recording,
    known: NDArray[np.float32],
    signals: Signals,
    plan: TrainingPlan,
    fusion: StackedFusion,
    *,
    learned_until: int,
    guessed: NDArray[np.float32] | None = None,
) -> BoostedTrees | None:
    """Grow the trees of the second opinion; None where too little is known of anybody's hands, or of too many.

    Parameters
    ----------
    fusion : says at which types of event anything is judged; its columns are theirs.
    guessed : as `Trained`; whoever is guessed to be guilty at all is, what may be either is honest unless it is in
        guilty company. Ranks forgive more than risks.
    """
    rng = np.random.default_rng([plan.seed, 71])
    judged = np.asarray(fusion.judged[recording.type[:learned_until]])
    guilty = guilty_events(known, guessed, learned_until)
    theirs = np.zeros(learned_until, np.bool_)
    places = np.flatnonzero(judged)
    theirs[places] = is_company(recording, places, guilty) | guilty[places]
    count = int(theirs.sum())
    if count < FEWEST_HANDS or count > MOST_ASIDE * judged.sum():
        return None
    if count > plan.most_rows:
        spared = rng.choice(np.flatnonzero(theirs), count - plan.most_rows, replace=False)
        theirs[spared] = judged[spared] = False
    rows, standing = draw_rows(theirs, judged, first_opinions(signals, learned_until), plan.most_rows, rng)
    label = theirs[rows]
    weights = lessons_weight(recording, rows, standing, label)
    return trees_of_plan(plan).fit(
        lesson_columns(recording, signals, plan, rows, rng),
        label.astype(np.float64)[:, None],
        names=column_names(recording.names, signals.outputs),
        outputs=(HANDS,),
        weights=weights,
        at=recording.at[rows],
    )
