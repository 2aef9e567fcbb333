"""What events say in words: reasons, methods, results, and the texts that people write."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from floorwalker.simulation.shop.honest import facts
from floorwalker.simulation.shop.honest.acts import Act
from floorwalker.simulation.shop.honest.amounts import is_one_of
from floorwalker.simulation.shop.honest.crowd import Crowd
from floorwalker.simulation.shop.honest.fitted import Ints
from floorwalker.simulation.shop.honest.fulfilment import CANCEL_REASONS, REASONS, SUPPORT_REASONS
from floorwalker.simulation.shop.honest.visiting import LOGIN_METHODS
from floorwalker.simulation.shop.honest.words import LANGUAGES, LETTERS, letter_pool

STREAM_REASONS = ("watch", "like", "like", "comment", "follow")
_CODE_REASONS = ("login", "login", "sign_up", "sign_up")
_COMMENT = STREAM_REASONS.index("comment")


def tongues_of(crowd: Crowd) -> Ints:
    """The place of each customer's language in `words.LANGUAGES`."""
    start = np.array([one[:2] for one in crowd.people.language])
    return np.select([start == "de", start == "zh"], [0, 2], 1)


def add_words(frame: pl.DataFrame, crowd: Crowd, rows: dict[str, Any]) -> pl.DataFrame:
    """Reasons, methods and texts."""
    act, code = rows["act"], rows["code"]
    lists = {
        Act.CANCELLED: CANCEL_REASONS, Act.REFUND_REQUESTED: REASONS, Act.REFUND_ISSUED: REASONS, Act.RETURN: REASONS,
        Act.SUPPORT: SUPPORT_REASONS, Act.STREAM: STREAM_REASONS, Act.LOGIN_FAILED: ("wrong_password",),
        Act.CODE_SENT: _CODE_REASONS, Act.CODE_CHECKED: _CODE_REASONS,
    }  # fmt: skip
    vocabulary = [word for words in lists.values() for word in words]
    place, start = np.full(len(act), -1), 0
    for kind, words in lists.items():
        some = act == kind
        place[some] = start + np.clip(code[some], 0, len(words) - 1)
        start += len(words)
    ways = [*LOGIN_METHODS, "email", "sms"]
    way = np.where(act == Act.LOGIN, np.clip(code, 0, 3), np.where(act == Act.LOGIN_FAILED, 0, -1))
    way = np.where(is_one_of(act, Act.CODE_SENT, Act.CODE_CHECKED, Act.PASSWORD_RESET), 4 + (code & 1), way)
    written = _texts(crowd, rows)
    frame = frame.with_columns(
        facts.take(pl.DataFrame({"r": vocabulary}), place)["r"].alias("reason"),
        pl.coalesce("method", facts.take(pl.DataFrame({"m": ways}), way)["m"]).alias("method"),
        facts.take(
            pl.DataFrame({"r": ["passed"]}), np.where(is_one_of(act, Act.CODE_CHECKED, Act.PASSWORD_RESET), 0, -1)
        )["r"].alias("result"),
    )
    return frame.with_columns(pl.coalesce("text", written).alias("text"))


def _texts(crowd: Crowd, rows: dict[str, Any]) -> pl.Series:
    """What others read is written one by one, as adversaries write it; letters come out of the run's pool."""
    act = rows["act"]
    world = crowd.world
    tongues = tongues_of(crowd)
    rng = crowd.rng
    commented = (act == Act.STREAM) & (rows["code"] == _COMMENT)
    some = np.flatnonzero(is_one_of(act, Act.REVIEW, Act.LISTING, Act.MESSAGE) | commented)
    written = []
    for kind, item, stars, tongue in zip(
        act[some].tolist(),
        rows["item"][some].tolist(),
        rows["value"][some].tolist(),
        tongues[rows["person"][some]].tolist(),
        strict=True,
    ):
        language = LANGUAGES[tongue]
        if kind == Act.REVIEW:
            written.append(world.reviews(rng, item, stars, "honest", language))
        elif kind == Act.LISTING:
            written.append(world.listing_text(rng, item, "honest", language))
        else:
            style = "livestream" if kind == Act.STREAM else "question"
            written.append(world.message_text(rng, item, style, language))
    place = np.full(len(act), -1)
    place[some] = np.arange(len(some))
    pool = letter_pool(world)
    said = np.flatnonzero(act == Act.SUPPORT)
    place[said] = len(some) + tongues[rows["person"][said]] * LETTERS + rng.integers(LETTERS, size=len(said))
    return facts.take(pl.DataFrame({"t": pl.Series(written + pool, dtype=pl.String)}), place)["t"]
