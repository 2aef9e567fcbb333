"""The requests task: contents do not cross the split, headers are not there to leak; on the real set, the bars."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.evaluation.tasks import requests as task

DATA = os.environ.get("FLOORWALKER_DATA")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "csic2010").mkdir()
    random = np.random.default_rng(1)
    normal, attacks = [], []
    for item in random.integers(1, 9000, 260).tolist():
        for method in ("get", "post"):
            normal.append(f"{method} http://shop.example/item?id={item}&view=full")
            attacks.append(f"{method} http://shop.example/item?id={item}' or 1=1&view=full")
    attacks.append("get http://shop.example/item?id=7&view=full\r\nset-cookie:+tamper=1")
    attacks.append(normal[0])
    for name, lines in ((task.NORMAL, normal + normal[:40]), (task.ATTACK, attacks)):
        end = "\r\n" if name == task.ATTACK else "\n"
        (folder / name).write_bytes(gzip.compress(end.join(lines).encode("latin-1")))
    return folder


def test_each_content_stands_in_one_part_and_with_one_label(folder: Path) -> None:
    requests, attack, dropped = task.read_csic(folder)
    content = task.contents_of(requests)
    assert dropped == 3  # by GET and by POST as normal, once as attack
    assert len({(one.method, one.target) for one in requests}) == len(requests)
    learn = task.split_contents(content, 3)
    assert not set(content[learn]) & set(content[~learn])
    assert 0.5 < learn.mean() < 0.7
    assert not set(content[attack]) & set(content[~attack])


def test_broken_lines_belong_to_the_request_before(folder: Path) -> None:
    requests, _, _ = task.read_csic(folder)
    assert sum("set-cookie" in one.target for one in requests) == 1


def test_how_a_file_ends_its_lines_is_not_read(folder: Path) -> None:
    requests, _, _ = task.read_csic(folder)
    assert not any(one.target.endswith(("\r", " ")) for one in requests)


def test_nothing_but_method_and_target_is_read(folder: Path) -> None:
    requests, _, _ = task.read_csic(folder)
    assert not any(one.body for one in requests)
    assert {one.method for one in requests} == {"get", "post"}


def test_shuffled_labels_give_chance_and_labels_more(folder: Path) -> None:
    requests, attack, _ = task.read_csic(folder)
    learn = task.split_contents(task.contents_of(requests), 0)
    figures = task.measure_split(requests, attack, learn, 0)
    assert figures["roc_auc"] > 0.95
    assert figures["normal_only_roc_auc"] > 0.95
    shuffled = task.shuffled_figure(requests, attack, learn, 0, most=300, times=4)
    assert abs(shuffled["mean"] - 0.5) < 0.25


def test_the_order_of_requests_changes_nothing(folder: Path) -> None:
    requests, attack, _ = task.read_csic(folder)
    learn = task.split_contents(task.contents_of(requests), 0)
    order = np.random.default_rng(5).permutation(len(requests))
    moved = task.measure_split([requests[row] for row in order.tolist()], attack[order], learn[order], 0)
    figures = task.measure_split(requests, attack, learn, 0)
    for key in ("roc_auc", "normal_only_roc_auc"):
        assert abs(moved[key] - figures[key]) < 0.02


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        task.run(data=None)
    with pytest.raises(InputError, match="csic2010"):
        task.run(data=tmp_path)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="FLOORWALKER_DATA does not name the public data")
def test_bars_on_the_real_set() -> None:
    requests, attack, _ = task.read_csic(Path(str(DATA)))
    rows = np.random.default_rng(0).permutation(len(requests))[:9000]
    requests, attack = [requests[row] for row in rows.tolist()], attack[rows]
    figures = task.measure_split(requests, attack, task.split_contents(task.contents_of(requests), 0), 0)
    for key, bar in task.BARS.items():
        assert figures[key] >= bar["min"]
    assert max(figures["single"].values()) < 0.95
