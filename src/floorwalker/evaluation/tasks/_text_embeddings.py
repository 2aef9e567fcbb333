"""Embeddings of public texts, made once: an encoder is frozen, so nothing of a label or a split can be in them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content.encoder import load_encoder
from floorwalker.evaluation.tasks._shop_run import cache_folder

CHUNK = 512
VERSION = 2
"""Of how encoders answer: 2 embeds each text alone."""


def embed_once(encoder: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """float32 [n, width] of this encoder, from the evaluation's cache where these very texts were embedded before."""
    digest = hashlib.blake2b(digest_size=10)
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    kept = cache_folder() / "embeddings" / f"{encoder}-{VERSION}-{len(texts)}-{digest.hexdigest()}.npy"
    if kept.exists():
        rows: NDArray[np.float32] = np.load(kept, allow_pickle=False)
        return rows
    model = load_encoder(encoder)
    parts = [model.embed(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)]
    rows = np.concatenate(parts) if parts else np.zeros((0, model.width), np.float32)
    kept.parent.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_suffix(".part.npy")
    np.save(unfinished, rows)
    unfinished.replace(kept)
    return rows
