"""The reviews-text task: hotels and texts do not cross the split; labels in no order teach nothing."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.evaluation.tasks import reviews_text as task
from floorwalker.evaluation.tasks._review_texts import OTT, VISPAM, Reviews, read_ott, read_vispam

WORDS = ("room", "bed", "staff", "view", "lobby", "desk", "towel", "lift", "bar", "pool")


def make_ott(count: int = 200) -> Reviews:
    random = np.random.default_rng(0)
    label = random.integers(0, 2, count)
    texts = [
        " ".join(random.choice(WORDS, 12)) + (" my husband loved it!" if one else " two blocks north.")
        for one in label.tolist()
    ]
    hotels = np.array([f"hotel{number % 20}" for number in range(count)])
    return Reviews(texts, label, hotels, np.full(count, np.nan, np.float32))


def test_folds_hold_four_whole_hotels() -> None:
    hotels = make_ott().group
    fold = task.hotel_folds(hotels, 3)
    for part in range(5):
        inside = set(hotels[fold == part])
        assert len(inside) == 4
        assert not inside & set(hotels[fold != part])
    assert not np.array_equal(fold, task.hotel_folds(hotels, 4))


@pytest.mark.slow
def test_shuffled_labels_give_chance_and_row_numbers_nothing() -> None:
    reviews = make_ott()
    assert abs(np.mean([task.shuffled_figure(reviews, seed) for seed in range(4)]) - 0.5) < 0.2
    figures = task.row_number_figures(reviews, 0)
    assert abs(figures["with"] - figures["without"]) < 0.05
    assert figures["without"] > 0.9


def test_texts_of_the_test_are_not_learned_from(tmp_path: Path) -> None:
    (tmp_path / "vispam_reviews").mkdir()
    header = "Rating,Comment,Label,SpamLabel\n"
    with zipfile.ZipFile(tmp_path / VISPAM, "w") as archive:
        archive.writestr("dataset/train.csv", header + "5,tot lam,0,0\n5,Tot   LAM,0,0\n1,mua ngay,1,3\n")
        archive.writestr("dataset/dev.csv", header + "4,dep,0,0\n")
        archive.writestr("dataset/test.csv", header + "5,MUA ngay,1,3\n5,moi,0,0\n")
    reviews = read_vispam(tmp_path)
    learned = {text.lower() for text, part in zip(reviews.texts, reviews.group, strict=True) if part != "test"}
    assert learned == {"tot lam", "dep"}
    assert (reviews.group == "test").sum() == 2


def test_each_text_of_ott_counts_once(tmp_path: Path) -> None:
    (tmp_path / "ott_deceptive").mkdir()
    rows = "deceptive,hotel,polarity,source,text\ntruthful,a,positive,Web,fine \ndeceptive,a,positive,MTurk,fine\n"
    (tmp_path / OTT).write_bytes(gzip.compress(rows.encode()))
    assert read_ott(tmp_path).texts == ["fine"]


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        task.run(data=None)
    with pytest.raises(InputError, match="ott_deceptive"):
        task.run(data=tmp_path)
