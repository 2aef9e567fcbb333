"""A small classifier of texts for tests: shouted bargains are abuse, plain sentences are not; no encoder."""

from __future__ import annotations

from pathlib import Path

from floorwalker.fusion.late_texts import train_texts

PLAIN = (
    "a quiet room and kind people", "we slept well, breakfast was fine", "clean and near the station",
    "the blender crushes ice quickly", "fits well, a warm jacket", "arrived late but it works",
)  # fmt: skip
SHOUTED = ("BUY NOW!!! cheap cheap", "best price!!! click now", "cheap watches!!! buy buy")


def write_texts(folder: Path) -> Path:
    """Write the classifier and its ranks of 4,000 ordinary texts; returns the folder."""
    texts, values = [], []
    for number in range(60):
        for kind, value in ((PLAIN, 0.0), (SHOUTED, 1.0)):
            texts.append(f"{kind[number % len(kind)]} {number}")
            values.append(value)
    for number in range(4000):
        texts.append(f"{PLAIN[number % len(PLAIN)]}, {PLAIN[number // 7 % len(PLAIN)]}, {number} days")
        values.append(float("nan"))
    train_texts(texts, values, folder, encoders=(), views=("characters", "style"))
    return folder
