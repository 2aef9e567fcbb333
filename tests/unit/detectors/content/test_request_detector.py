"""What the detector of requests must find, forgive, refuse and keep."""

import numpy as np
import pytest

from floorwalker.detectors.content.requests import PROFILE_FEATURES, Request, RequestDetector
from floorwalker.errors import ArtefactError, InputError, NotReadyError, UsageError


def make_pages(count: int, seed: int = 0) -> list[Request]:
    random = np.random.default_rng(seed)
    names = ("anna", "bo", "carlos", "dilek", "émile", "fay")
    pages = []
    for _ in range(count):
        item, name = random.integers(1, 9000), names[random.integers(len(names))]
        pages.append(Request("GET", f"/item?id={item}&view=full"))
        pages.append(Request("POST", "/login", f"user={name}{item}&remember={'on' if item % 2 else 'off'}"))
    return pages


ATTACKS = {
    "injected": Request("GET", "/item?id=1%27%20OR%201=1--&view=full"),
    "encoded twice": Request("GET", "/item?id=%253Cscript%253E&view=full"),
    "another name": Request("GET", "/item?ida=12&view=full"),
    "missing": Request("POST", "/login", "user=anna4"),
    "unlisted": Request("POST", "/login", "user=anna4&remember=maybe"),
    "probing": Request("GET", "/admin/config.php.bak"),
    "other method": Request("PUT", "/item?id=12&view=full"),
    "twice": Request("GET", "/item?id=12&id=13&view=full"),
}


@pytest.fixture(scope="module")
def detector() -> RequestDetector:
    return RequestDetector().fit(make_pages(300))


@pytest.mark.parametrize("name", list(ATTACKS))
def test_attack_is_beyond_nearly_all_normal_requests(detector: RequestDetector, name: str) -> None:
    assert detector.score([ATTACKS[name]])[0] > 0.98
    assert detector.reasons([ATTACKS[name]])[0]


def test_few_normal_requests_stand_out(detector: RequestDetector) -> None:
    scores = detector.score(make_pages(200, seed=9))
    assert (scores > 0.98).mean() < 0.05
    assert 0 <= scores.min() <= scores.max() <= 1


def test_headers_and_hosts_are_not_looked_at(detector: RequestDetector) -> None:
    one, other = detector.score([("GET", "/item?id=4&view=full"), ("GET", "https://shop.example/item?id=4&view=full")])
    assert one == other


def test_answers_do_not_depend_on_company(detector: RequestDetector) -> None:
    requests = [*ATTACKS.values(), *make_pages(5)]
    together = detector.score(requests)
    alone = np.concatenate([detector.score([request]) for request in requests])
    np.testing.assert_array_equal(together, alone)


def test_labels_teach_a_head_that_is_kept(tmp_path) -> None:
    normal = make_pages(150)
    attacks = [Request("GET", f"/item?id={n}';drop table x&view=full") for n in range(60)]
    labels = [0] * len(normal) + [1] * len(attacks)
    detector = RequestDetector().fit(normal + attacks, labels)
    asked = [*make_pages(20, seed=3), Request("GET", "/item?id=7';drop table y&view=full")]
    chance = detector.score(asked)
    assert chance[-1] > 0.9
    assert chance[:-1].max() < 0.5
    detector.save(tmp_path)
    np.testing.assert_array_equal(RequestDetector.load(tmp_path).score(asked), chance)


def test_damaged_artefact_is_refused(detector: RequestDetector, tmp_path) -> None:
    detector.save(tmp_path)
    (tmp_path / "facts.json").write_bytes(b"{}")
    with pytest.raises(ArtefactError):
        RequestDetector.load(tmp_path)


def test_shuffled_labels_and_row_numbers_tell_nothing() -> None:
    normal = make_pages(150)
    attacks = [Request("GET", f"/item?id={n}';drop table x&view=full") for n in range(100)]
    requests = normal + attacks
    random = np.random.default_rng(5)
    order = random.permutation(len(requests))
    truth = (np.arange(len(requests)) >= len(normal)).astype(int)
    one = RequestDetector().fit(requests, truth).score(requests)
    other = RequestDetector().fit([requests[row] for row in order], truth[order]).score(requests)
    # Other folds measure other requests; nothing else depends on the row.
    assert np.abs(one - other).max() < 0.2
    shuffled = RequestDetector().fit(requests, random.permutation(truth)).score(normal)
    assert np.abs(shuffled - truth.mean()).mean() < 0.15


@pytest.mark.parametrize(
    "request_text",
    ["", "GET /", "GET /item?", "GET /item?&&&=", "\0", "GET /item?id=" + "x" * 5000, "\ud800", "/a\ud800%41"],
)
def test_odd_requests_have_an_answer(detector: RequestDetector, request_text: str) -> None:
    score = detector.score([request_text])
    assert np.isfinite(score).all()
    assert len(detector.reasons([request_text])) == 1


def test_nothing_asked_nothing_answered(detector: RequestDetector) -> None:
    assert detector.score([]).shape == (0,)
    assert detector.measure([])[0].shape == (0, len(PROFILE_FEATURES))


def test_bad_input_is_refused() -> None:
    with pytest.raises(NotReadyError):
        RequestDetector().score(["GET /"])
    with pytest.raises(InputError):
        RequestDetector().fit(["GET /"] * 5)
    with pytest.raises(InputError):
        RequestDetector().fit(["GET /"] * 50, [2] * 50)
    with pytest.raises(InputError):
        RequestDetector().fit("GET /")  # type: ignore[arg-type]
    with pytest.raises(InputError):
        RequestDetector().fit([3] * 50)  # type: ignore[list-item]
    with pytest.raises(UsageError):
        RequestDetector(folds=1)
