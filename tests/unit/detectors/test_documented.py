"""What exists is documented, what is documented exists, and the page's example runs."""

import re
from pathlib import Path

import pytest

from floorwalker.detectors.anomaly import list_detectors, load_detector

PAGE = (Path(__file__).parents[3] / "docs" / "detectors.md").read_text("utf-8")
TABLE = {
    match[1]: match[0]
    for match in re.finditer(r"^\| `(\w+)` \|[^\n]*\|[^\n]*\|[^\n]*\|[^\n]*\|[^\n]*\|.*$", PAGE, re.M)
}


@pytest.mark.parametrize("name", list_detectors())
def test_every_detector_has_its_row_and_states_the_same_landmarks(name):
    above = load_detector(name).capabilities.approximate_above
    cell = TABLE[name].split("|")[6].strip()
    if name != "ensemble":
        assert cell.startswith(f"{above:,}" if above else "never")


def test_no_row_without_its_detector():
    assert set(TABLE) == set(list_detectors())


def test_the_example_runs():
    code = re.search(r"```python\n(.*?)```", PAGE, re.S)[1]
    names = {}
    exec(code, names)
    assert (names["again"].score(names["scaling"].apply(names["rows"])) == names["scores"]).all()
