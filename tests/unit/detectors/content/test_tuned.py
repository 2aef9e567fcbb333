"""A tuned encoder: what is trained is what is served, little of it is kept, odd settings and artefacts are refused."""

import numpy as np
import pytest

from floorwalker.detectors.content._inputs import Inputs
from floorwalker.detectors.content._minilm_graph import make_encoder_graph
from floorwalker.detectors.content.classifier import TextClassifier
from floorwalker.detectors.content.tuned import TunedView, Tuning, merge_adapters
from floorwalker.errors import ArtefactError, InputError, UsageError
from floorwalker.models.onnx import OnnxModel

WIDTH, LAYERS, HEADS, WORDS = 16, 2, 2, 40


def make_tensors(seed: int = 0) -> dict[str, np.ndarray]:
    """A very small encoder under the names of the real one."""
    random = np.random.default_rng(seed)

    def drawn(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(np.float32)

    tensors = {
        "embeddings.word_embeddings.weight": drawn(WORDS, WIDTH),
        "embeddings.position_embeddings.weight": drawn(32, WIDTH),
        "embeddings.token_type_embeddings.weight": drawn(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + drawn(WIDTH),
        "embeddings.LayerNorm.bias": drawn(WIDTH),
    }
    for place in range(LAYERS):
        stem = f"encoder.layer.{place}."
        shapes = {"attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH),
                  "attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH),
                  "intermediate.dense": (32, WIDTH), "output.dense": (WIDTH, 32)}  # fmt: skip
        for name, shape in shapes.items():
            tensors[f"{stem}{name}.weight"], tensors[f"{stem}{name}.bias"] = drawn(*shape), drawn(shape[0])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            tensors[f"{stem}{name}.weight"], tensors[f"{stem}{name}.bias"] = 1 + drawn(WIDTH), drawn(WIDTH)
    return tensors


def make_plan(**changed: object) -> object:
    from floorwalker.detectors.content._tuning import Plan

    given = {"layers": LAYERS, "heads": HEADS, "epsilon": 1e-12, "upper": 1, "rank": 2, "epochs": 12, "rate": 0.02,
             "batch": 8, "dropout": 0.0, "device": "cpu", "seed": 0}  # fmt: skip
    return Plan(**(given | changed))


def make_tokens(count: int, seed: int = 0) -> tuple[list[list[int]], np.ndarray]:
    """Texts of one class hold the word 7, those of the other the word 8."""
    random = np.random.default_rng(seed)
    codes = random.integers(0, 2, count)
    tokens = []
    for code in codes.tolist():
        words = random.integers(10, WORDS, int(random.integers(3, 9))).tolist()
        place = int(random.integers(0, len(words)))
        tokens.append([1, *words[:place], 7 if code else 8, *words[place:], 2])
    return tokens, codes


def say(tensors: dict[str, np.ndarray], learned: dict[str, np.ndarray], tokens: list[list[int]]) -> np.ndarray:
    """What the served graph says, text by text."""
    graph = make_encoder_graph(
        merge_adapters(tensors, learned), layers=LAYERS, heads=HEADS, epsilon=1e-12, eight_bits=False
    )
    model = OnnxModel(graph)
    rows = []
    for one in tokens:
        mask = np.ones((1, len(one)), np.float32)
        rows.append(model.run({"ids": np.array([one]), "positions": np.arange(len(one)), "mask": mask}))
    return np.concatenate(rows) @ learned["head.weight"].T + learned["head.bias"]


def test_layers_are_pooled_by_mean_and_spread() -> None:
    tensors = make_tensors()
    graphs = [
        OnnxModel(make_encoder_graph(tensors, layers=LAYERS, heads=HEADS, epsilon=1e-12, eight_bits=False, **more))
        for more in ({}, {"from_layer": 1})
    ]
    asked = {"ids": np.array([[1, 9, 2, 0, 0], [1, 7, 8, 9, 2]]), "positions": np.arange(5)}
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.float32)
    last, every = (graph.run({**asked, "mask": mask}) for graph in graphs)
    assert every.shape == (2, 2 * LAYERS * WIDTH)
    mean = every[:, 2 * WIDTH : 3 * WIDTH]
    np.testing.assert_allclose(mean / np.linalg.norm(mean, axis=1, keepdims=True), last, atol=1e-5)
    assert (every[:, WIDTH : 2 * WIDTH] > 0).all()
    # What stands behind the mask changes nothing, and one token alone has no spread.
    asked["ids"][0, 3:] = 11
    np.testing.assert_allclose(graphs[1].run({**asked, "mask": mask})[0], every[0], atol=1e-5)
    mask[0, 1:] = 0
    alone = graphs[1].run({**asked, "mask": mask})[0]
    np.testing.assert_allclose(alone[WIDTH : 2 * WIDTH], 0, atol=1e-5)


@pytest.mark.slow
def test_what_is_trained_is_what_is_served() -> None:
    import torch

    from floorwalker.detectors.content import _tuning

    tensors = make_tensors()
    torch.manual_seed(0)
    network = _tuning.Network(tensors, make_plan(upper=2), 1).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
        network.start.scale.copy_(torch.from_numpy(tensors["embeddings.LayerNorm.weight"]))
        network.start.shift.copy_(torch.from_numpy(tensors["embeddings.LayerNorm.bias"]))
    tokens, _ = make_tokens(5)
    ids, mask = _tuning.pad_tokens(tokens)
    with torch.no_grad():
        expected = network(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    np.testing.assert_allclose(say(tensors, _tuning._learned(network), tokens), expected, atol=2e-4)


@pytest.mark.slow
def test_it_learns_and_moves_the_upper_layers_alone() -> None:
    from floorwalker.detectors.content._tuning import train_adapters

    tensors = make_tensors()
    tokens, codes = make_tokens(160)
    learned = train_adapters(tensors, tokens, codes, 2, make_plan(upper=2, rank=4))
    asked, truth = make_tokens(100, seed=1)
    assert ((say(tensors, learned, asked)[:, 0] > 0) == truth).mean() > 0.85
    first, again = (train_adapters(tensors, tokens[:16], codes[:16], 2, make_plan(epochs=2)) for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    upper = train_adapters(tensors, tokens[:16], codes[:16], 2, make_plan(epochs=1))
    assert not [name for name in upper if name.startswith("encoder.layer.0")]
    merged = merge_adapters(tensors, upper)
    assert np.array_equal(merged["encoder.layer.0.output.dense.weight"], tensors["encoder.layer.0.output.dense.weight"])
    several = train_adapters(tensors, tokens[:16], codes[:16] + np.arange(16) % 2, 3, make_plan(epochs=1),
                             weights=np.ones(3, np.float32))  # fmt: skip
    assert several["head.weight"].shape == (3, WIDTH)


@pytest.mark.slow
def test_a_tuned_classifier_is_saved_and_loaded(tmp_path) -> None:
    random = np.random.default_rng(0)
    things = ("room", "bed", "staff", "desk")
    labels = random.integers(0, 2, 48)
    texts = [
        f"the {random.choice(things)} was {'better than' if one else 'worse than'} the {random.choice(things)}"
        for one in labels.tolist()
    ]
    tuning = Tuning(epochs=6, members=2, batch=4, rank=4, upper=2, rate=4e-3)
    classifier = TextClassifier(encoders=(), views=("style",), folds=2, tuning=tuning).fit(texts, labels)
    assert classifier.chosen == "grams and tuned" or classifier.chosen == "tuned"
    assert ((classifier.score(texts) > 0.5) == labels).mean() > 0.9
    classifier.save(tmp_path)
    assert (tmp_path / "arrays.npz").stat().st_size < 3_000_000
    loaded = TextClassifier.load(tmp_path)
    np.testing.assert_allclose(loaded.score(texts[:8]), classifier.score(texts[:8]), atol=0.05)
    assert loaded.score(["", "\ud800"]).shape == (2,)


@pytest.mark.parametrize(
    "changed",
    [{"epochs": 0}, {"members": 1}, {"upper": 7}, {"rank": 0}, {"rate": 0.0}, {"dropout": 1.0}, {"most_tokens": 4},
     {"device": "abacus"}],
)  # fmt: skip
def test_settings_are_checked(changed: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Tuning(**changed)  # type: ignore[arg-type]


@pytest.mark.slow
def test_adapters_of_another_encoder_are_refused() -> None:
    for arrays in ({}, {"0.encoder.layer.0.output.dense.bias": np.zeros(3, np.float16)}):
        with pytest.raises(ArtefactError):
            TunedView().restore(arrays)


def test_a_class_that_a_member_would_not_see_is_refused_before_any_is_trained() -> None:
    view = TunedView(Tuning(members=2, epochs=100, most_tokens=512))
    texts = Inputs(["clean and quiet", "cheap!!! buy"] * 20, {})
    labels = np.array([0, 1] * 20)
    with pytest.raises(InputError, match="all in one part"):
        view.cross_fit(texts, labels, 2, labels, balanced=False)
