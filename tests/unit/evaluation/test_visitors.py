"""The visitors task: halves do not leak, labels are not read, figures are right; on the real set, the bars."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest

from floorwalker.errors import InputError
from floorwalker.evaluation.tasks import visitors
from floorwalker.evaluation.tasks._visitors_data import label_sessions, read_requests
from floorwalker.evaluation.tasks._visitors_protocol import Crowd, choose_half, measure
from floorwalker.evaluation.tasks._visitors_table import BEGIN, END, write_tables
from floorwalker.metrics import roc_auc

DATA = os.environ.get("FLOORWALKER_DATA")
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/70.0"
BEACON = "POST /storage/store_sess_total_mousemv_db.php"


@pytest.fixture
def labels():
    return np.array(["human"] * 21 + ["moderate_bot"] * 10 + ["advanced_bot"] * 7)


@pytest.fixture
def names(labels):
    return tuple(f"session{index}" for index in range(len(labels)))


def test_halves_are_stratified_and_fixed(names, labels):
    chosen = choose_half(names, labels)
    assert [int(chosen[labels == kind].sum()) for kind in ("human", "moderate_bot", "advanced_bot")] == [10, 5, 3]
    order = np.random.default_rng(1).permutation(len(names))
    shuffled = choose_half(tuple(names[index] for index in order), labels[order])
    assert np.array_equal(shuffled, chosen[order])


@pytest.mark.parametrize(
    ("protocol", "people", "drawn", "counts_choose"),
    [("report", 21, 6, False), ("report_alone", 11, 3, False), ("choose_alone", 10, 3, True)],
)
def test_only_one_half_counts_and_bots_come_from_it(names, labels, protocol, people, drawn, counts_choose):
    chosen = choose_half(names, labels)
    crowd = visitors.make_crowd(labels, chosen, "moderate_bot", protocol)
    assert (len(crowd.humans), crowd.drawn) == (people, drawn)
    assert (labels[crowd.humans] == "human").all()
    assert (labels[crowd.bots] == "moderate_bot").all()
    assert (chosen[crowd.bots] == counts_choose).all()
    assert (chosen[np.flatnonzero(crowd.counted)] == counts_choose).all()


def crowd_of(people, bots, drawn=4, counted=None):
    count = people + bots
    return Crowd(
        np.arange(people), np.arange(people, count), drawn, np.ones(count, bool) if counted is None else counted
    )


def test_a_perfect_a_useless_and_a_perverse_scorer():
    matrix = np.concatenate([np.zeros((30, 1)), np.ones((10, 1))])
    crowd = crowd_of(30, 10)

    def figure(score):
        return measure(matrix, crowd, score, draws=20, seed=1)

    perfect = figure(lambda rows, seed: rows[:, 0].astype(np.float32))
    assert (perfect.auc.value, perfect.auc.low, perfect.average_precision) == (1.0, 1.0, 1.0)
    assert figure(lambda rows, seed: np.zeros(len(rows), np.float32)).auc.value == 0.5
    assert figure(lambda rows, seed: 1 - rows[:, 0].astype(np.float32)).auc.value == 0.0


def test_the_mean_over_pairs_is_the_mean_over_draws():
    random = np.random.default_rng(1)
    matrix = random.normal(size=(40, 1)) + (np.arange(40) >= 30)[:, None]
    crowd = crowd_of(30, 10)
    found = measure(matrix, crowd, lambda rows, seed: rows[:, 0].astype(np.float32), draws=15, seed=3)
    aucs = [roc_auc(rows >= 30, matrix[rows, 0].astype(np.float32)) for rows in crowd.draws(15, 3)]
    assert found.auc.value == pytest.approx(np.mean(aucs))
    assert found.spread == pytest.approx(np.std(aucs))
    assert found.auc.low < found.auc.value < found.auc.high


def test_people_who_only_fill_the_crowd_do_not_count():
    matrix = np.zeros((40, 1))
    matrix[:15] = 9.0
    matrix[30:] = 5.0
    counted = np.arange(40) >= 15
    found = measure(
        matrix, crowd_of(30, 10, counted=counted), lambda rows, seed: rows[:, 0].astype(np.float32), draws=5, seed=1
    )
    assert found.auc.value == 1.0


def test_scorers_see_rows_of_the_draw_and_nothing_else():
    seen = []

    def score(rows, seed):
        seen.append((rows.shape, seed))
        return rows[:, 0].astype(np.float32)

    measure(np.random.default_rng(1).normal(size=(40, 3)), crowd_of(30, 10), score, draws=3, seed=7)
    assert seen == [((34, 3), 7), ((34, 3), 8), ((34, 3), 9)]


def write_set(folder: Path) -> None:
    """People read at their own pace and go back; bots step through pages every two seconds."""
    random = np.random.default_rng(1)
    folder.mkdir()
    rows = ["phase,session_id,label,annotation_sets"]
    logs = {"phase1_humans.log.gz": [], "phase1_bots.log.gz": []}
    for index in range(68):
        label = "human" if index < 40 else "moderate_bot" if index < 54 else "advanced_bot"
        session = f"s{index:03d}abcdefghijklmnop"
        part = "train" if index % 2 else "test"
        sets = (
            f"humans_and_advanced_bots:{part};humans_and_moderate_bots:{part}"
            if label == "human"
            else f"humans_and_{label}s:{part}"
        )
        rows.append(f"phase1,{session},{label},{sets}")
        second, previous = 0, 0
        lines = logs["phase1_humans.log.gz" if label == "human" else "phase1_bots.log.gz"]
        for page in range(12):
            human = label == "human"
            target = previous if human and page % 3 == 2 else page
            previous = page - 1
            for request in (f"GET /content/page{target}.php", "GET /css/main.css", BEACON):
                at = f"{second // 60:02d}:{second % 60:02d}"
                lines.append(
                    f'- - [25/Oct/2019:{8 + index % 12:02d}:{at} +0000] "{request} HTTP/1.1" 200 449 '
                    f'"https://192.0.2.1/" {session} "{AGENT}"'
                )
            second += int(random.integers(5, 60)) if human else 2
    (folder / "sessions.csv").write_text("\n".join(rows) + "\n")
    for name, lines in logs.items():
        lines.sort(key=lambda line: line[5:32])
        (folder / name).write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))


@pytest.fixture
def data(tmp_path):
    write_set(tmp_path / "iliou_webbot")
    return tmp_path


def test_sessions_are_read_by_the_products_own_reader(data):
    requests = read_requests(data, merge="none")
    sessions = label_sessions(data, requests)
    assert len(sessions.identity) == 68
    assert sessions.features["visits"].tolist() == [12.0] * 68
    assert label_sessions(data, requests, "all_as_pages").features["visits"].tolist() == [36.0] * 68
    people = sessions.label == "human"
    assert sessions.features["back_share"][people] == pytest.approx(0.4)
    assert sessions.features["back_share"][~people] == pytest.approx(0.0)
    assert sessions.features["gap_mean"][~people] == pytest.approx(2.0)


def test_run_reports_figures_baselines_split_and_bars(data):
    report = visitors.run(data=data, merge="none", draws=4)
    json.dumps(report, allow_nan=False)
    assert report["metrics"]["moderate_auc"]["mean"] > 0.9
    assert report["metrics"]["advanced_auc"]["mean"] > 0.9
    assert report["baselines"]["supervised_official_split"]["same_kind"]["random_forest"]["moderate"] > 0.9
    assert report["bars"] == {"moderate_auc": {"min": 0.90}, "advanced_auc": {"min": 0.70}}
    assert report["split"]["halves"]["human"] == {"choose": 20, "report": 20}
    page = data / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_tables(report, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert f"**{report['metrics']['moderate_auc']['mean']:.3f}**" in text


def test_features_read_no_agent_date_or_hour(data):
    folder = data / "iliou_webbot"
    before = label_sessions(data, read_requests(data, merge="none"))
    for name in ("phase1_humans.log.gz", "phase1_bots.log.gz"):
        text = gzip.decompress((folder / name).read_bytes()).decode()
        shifted = text.replace(AGENT, "curl/8.0").replace("25/Oct/2019", "03/Feb/2021")
        (folder / name).write_bytes(gzip.compress(shifted.encode()))
    after = label_sessions(data, read_requests(data, merge="none"))
    for name, values in before.features.items():
        assert np.array_equal(values, after.features[name]), name


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"lacks phase1_humans\.log\.gz"):
        read_requests(tmp_path)


@pytest.mark.data
@pytest.mark.skipif(not DATA, reason="FLOORWALKER_DATA is not set")
def test_nine_features_reach_about_the_known_levels():
    data = Path(DATA)
    sessions = label_sessions(data, read_requests(data, merge="none"), "all_as_pages")
    chosen = choose_half(sessions.identity, sessions.label)
    known = {"moderate_bot": 0.80, "advanced_bot": 0.67}
    for kind, level in known.items():
        crowd = visitors.make_crowd(sessions.label, chosen, kind, "report")
        scorer = visitors.product_scorer("isolation_forest", visitors.NINE, visitors.ScanSettings())
        found = measure(sessions.matrix(visitors.NINE), crowd, scorer, draws=10, seed=0)
        assert found.auc.value == pytest.approx(level, abs=0.1)
