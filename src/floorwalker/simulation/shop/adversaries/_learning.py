"""How an adversary learns from what the wire shows: which of its tactics still earns more than it costs.

Three learners, one for each level of craft. All give an answer of None once nothing they know is worth its price.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator


class Learner(ABC):
    """Chooses among tactics by what they brought.

    Parameters
    ----------
    costs : expected cost of one deed by each tactic, minor units.
    gain : what a deed that succeeds is worth, minor units.
    beliefs : share of deeds by each tactic that it expects to succeed before it has tried.
    """

    def __init__(self, costs: Sequence[float], gain: float, beliefs: Sequence[float]) -> None:
        self.costs = np.asarray(costs, dtype=np.float64)
        self.gain = float(gain)
        self.beliefs = np.asarray(beliefs, dtype=np.float64)
        self.tries = np.zeros(len(self.costs), np.int64)

    @abstractmethod
    def choose(self, rng: Generator) -> int | None:
        """The place of the tactic to use now; None where none is expected to pay."""

    def update(self, tactic: int, success: float) -> None:
        """Learn that a deed succeeded to this share, 0 to 1."""
        self.tries[tactic] += 1


class WinStay(Learner):
    """Stays with a tactic while it earns and goes on to the next that it believes in: win, stay; lose, shift.

    It compares nothing while it wins, and never comes back to what has failed `patience` times in a row or earned less
    than it cost on the average of its tries, its belief counted as `trust` of them. It draws no random number.

    Source: Robbins, "Some aspects of the sequential design of experiments", Bull. Amer. Math. Soc. 58, 1952, section 3.

    >>> learner = WinStay([1.0, 1.0], 10.0, [0.9, 0.3], patience=2)
    >>> rng = np.random.default_rng(1)
    >>> def fail(times):
    ...     for _ in range(times):
    ...         learner.update(learner.choose(rng), 0.0)
    >>> fail(2)
    >>> learner.choose(rng)
    1
    >>> fail(2)
    >>> learner.choose(rng) is None
    True
    """

    def __init__(
        self,
        costs: Sequence[float],
        gain: float,
        beliefs: Sequence[float],
        *,
        patience: int = 12,
        trust: float = 8.0,
    ) -> None:
        super().__init__(costs, gain, beliefs)
        self.patience = patience
        self.trust = trust
        self._won = np.zeros(len(self.costs))
        self._failures = np.zeros(len(self.costs), np.int64)
        self._place = 0

    def choose(self, rng: Generator) -> int | None:
        """The tactic in use, the first to begin with; None where each was tried in vain."""
        if self._pays(self._place):
            return self._place
        others = [place for place in range(len(self.costs)) if self._pays(place)]
        if not others:
            return None
        self._place = max(others, key=self._expect)
        return self._place

    def update(self, tactic: int, success: float) -> None:
        """Count it, and the failures in a row."""
        super().update(tactic, success)
        self._won[tactic] += success
        self._failures[tactic] = 0 if success > 0.5 else self._failures[tactic] + 1

    def _expect(self, place: int) -> float:
        """Net gain of one deed, minor units."""
        won = self.trust * self.beliefs[place] + self._won[place]
        return float(self.gain * won / (self.trust + self.tries[place]) - self.costs[place])

    def _pays(self, place: int) -> bool:
        return bool(self._failures[place] < self.patience) and (not self.tries[place] or self._expect(place) > 0.0)


class Exponential(Learner):
    """EXP3: weights of tactics grow with what they earn, made fair by the chance of having been chosen.

    It supposes nothing about the opponent, who may change his policy at any time. `memory` lets old rewards fade, and
    `mixing` is the share of deeds spent on trying.

    Source: Auer, Cesa-Bianchi, Freund, Schapire, "The nonstochastic multiarmed bandit problem", SIAM J. Comput. 32(1),
    2002, algorithm Exp3.
    """

    def __init__(
        self,
        costs: Sequence[float],
        gain: float,
        beliefs: Sequence[float],
        *,
        mixing: float = 0.15,
        memory: float = 0.97,
    ) -> None:
        super().__init__(costs, gain, beliefs)
        self.mixing = mixing
        self.memory = memory
        self._logs = np.zeros(len(self.costs))
        self._chances = np.full(len(self.costs), 1.0 / len(self.costs))
        self._earned = self.gain * self.beliefs - self.costs
        self._seen = 0

    def choose(self, rng: Generator) -> int | None:
        """A tactic drawn by its weight; None where the recent average of every tactic is a loss."""
        if self._seen >= 6 and float(self._earned.max()) <= 0.0:
            return None
        weights = np.exp(self._logs - self._logs.max())
        count = len(weights)
        self._chances = (1.0 - self.mixing) * weights / weights.sum() + self.mixing / count
        return int(np.searchsorted(np.cumsum(self._chances), rng.random() * self._chances.sum()))

    def update(self, tactic: int, success: float) -> None:
        """Add the reward, scaled to 0..1 and divided by the chance of the choice."""
        super().update(tactic, success)
        self._seen += 1
        net = self.gain * success - float(self.costs[tactic])
        self._earned[tactic] += 0.25 * (net - self._earned[tactic])
        span = self.gain + float(self.costs.max()) or 1.0
        reward = (net + float(self.costs.max())) / span
        self._logs *= self.memory
        self._logs[tactic] += self.mixing * reward / (float(self._chances[tactic]) * len(self._logs))


class Thompson(Learner):
    """Thompson sampling: acts as if a draw from what it believes were true, so it tries what may still pay.

    Success is Beta-distributed for each tactic; old evidence fades by `memory`, what was believed at first with it,
    because the shop learns too. `hedge` is the share of deeds spread evenly over tactics that pay at least half as well
    as the best: whoever uses one way only is found by it. After `patience` failures in a row it is over, whatever might
    still be won.

    Source: Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 25, 1933; Chapelle
    and Li, "An empirical evaluation of Thompson sampling", 2011.

    >>> learner = Thompson([1.0, 1.0], 10.0, [0.8, 0.8])
    >>> rng = np.random.default_rng(1)
    >>> for _ in range(40):
    ...     learner.update(0, 0.0)
    ...     learner.update(1, 1.0)
    >>> {learner.choose(rng) for _ in range(20)}
    {1}
    """

    def __init__(
        self,
        costs: Sequence[float],
        gain: float,
        beliefs: Sequence[float],
        *,
        memory: float = 0.93,
        hedge: float = 0.5,
        trust: float = 3.0,
        patience: int = 36,
    ) -> None:
        super().__init__(costs, gain, beliefs)
        self.memory = memory
        self.hedge = hedge
        self.patience = patience
        self._won = trust * self.beliefs
        self._lost = trust * (1.0 - self.beliefs)
        self._failures = 0

    def choose(self, rng: Generator) -> int | None:
        """The tactic whose drawn gain is best; None where even a hopeful reading of the evidence is a loss."""
        if self._failures >= self.patience:
            return None
        won, lost = self._won, self._lost
        mean = won / (won + lost)
        # One and a half standard deviations above the mean: as long as that pays, trying is worth its price.
        spread = np.sqrt(mean * (1.0 - mean) / (won + lost + 1.0))
        hopeful = self.gain * np.minimum(1.0, mean + 1.5 * spread) - self.costs
        paying = np.flatnonzero(hopeful > 0.0)
        if not len(paying):
            return None
        if rng.random() < self.hedge:
            net = (self.gain * mean - self.costs)[paying]
            sure = paying[net > max(0.5 * float(net.max()), 0.0)]
            among = sure if len(sure) else paying
            return int(among[int(rng.integers(len(among)))])
        drawn = self.gain * rng.beta(np.maximum(won, 0.01), np.maximum(lost, 0.01)) - self.costs
        return int(paying[int(np.argmax(drawn[paying]))])

    def update(self, tactic: int, success: float) -> None:
        """Fade the old evidence of this tactic and add the new."""
        super().update(tactic, success)
        self._failures = 0 if success > 0.0 else self._failures + 1
        self._won[tactic] = self._won[tactic] * self.memory + success
        self._lost[tactic] = self._lost[tactic] * self.memory + (1.0 - success)


def make_learner(skill: str, costs: Sequence[float], gain: float, beliefs: Sequence[float]) -> Learner:
    """The learner that goes with a skill: naive ones change what fails, skilled ones weigh, the others sample."""
    if skill == "naive":
        return WinStay(costs, gain, beliefs)
    if skill == "skilled":
        return Exponential(costs, gain, beliefs)
    return Thompson(costs, gain, beliefs, hedge=0.35 if skill == "advanced" else 0.6)
