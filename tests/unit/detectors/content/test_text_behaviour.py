"""How texts behave: what is found, what is forgiven, and that replays, batches and restarts change nothing."""

import numpy as np
import pytest

from floorwalker.detectors.content.contacts import find_contacts
from floorwalker.detectors.content.disguise import find_disguise, unmask
from floorwalker.detectors.content.live import OUTPUTS, LiveContent
from floorwalker.detectors.content.near_duplicates import NearDuplicates
from floorwalker.detectors.content.rating_words import RatingWords
from floorwalker.errors import ArtefactError, UsageError
from floorwalker.events.batch import EventBatch, make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event

HOUR = 3_600_000_000
PRAISE = "Great blender, it crushes ice in seconds and is very easy to clean afterwards."
KEYER = EntityKeyer(bytes(16))
SUBJECTS = ("kettle", "lamp", "rucksack", "phone case", "jacket", "chair", "drill", "tent")
WORDS = ("sturdy", "light", "quiet", "cheap", "heavy", "pretty", "useful", "odd", "bright", "warm", "slow", "soft")


def make_reviews(count: int, seed: int = 0) -> list[Event]:
    random = np.random.default_rng(seed)
    events = []
    for number in range(count):
        words = " ".join(random.choice(WORDS, 9))
        text = f"The {SUBJECTS[random.integers(8)]} number {number} is {words}."
        copied = number % 7 == 3
        events.append(
            Event(
                id=f"e-{seed}-{number}", type="review", at=number * HOUR, account=f"a-{random.integers(60)}",
                item=f"i-{random.integers(5)}", rating=float(random.integers(5)) / 4, text=PRAISE if copied else text,
            )
        )  # fmt: skip
    return events


def batch_of(*events: Event) -> EventBatch:
    return make_batch(list(events), KEYER)


def outputs_of(live: LiveContent, event: Event) -> dict[str, float]:
    return dict(zip(OUTPUTS, live.score(batch_of(event))[0].tolist(), strict=True))


def test_copies_over_accounts_are_found_and_named() -> None:
    live = LiveContent(capacity=256)
    for number in range(4):
        text = PRAISE + (" Love it!" if number % 2 else "")
        live.advance(
            batch_of(Event(id=f"e{number}", type="review", at=number * HOUR, account=f"a{number}", item="i", text=text))
        )
    event = Event(id="x", type="review", at=5 * HOUR, account="b", item="i", text=PRAISE)
    found = outputs_of(live, event)
    assert found["content.near_duplicate"] > 0.8
    assert found["content.copied_by_accounts"] > 0.7
    assert found["content.similar_burst"] > 0.7
    assert found["content.repeats_itself"] == 0
    codes = {reason.code for reason in live.reasons([0])[0]}
    assert {"content.near_duplicate", "content.copied_by_accounts", "content.similar_burst"} <= codes
    later = Event(id="y", type="review", at=400 * 24 * HOUR, account="b", item="i", text=PRAISE)
    assert outputs_of(live, later)["content.near_duplicate"] == 0


def test_own_repetition_is_told_from_others() -> None:
    live = LiveContent(capacity=256)
    for number in range(3):
        live.advance(batch_of(Event(id=f"e{number}", type="review", at=number, account="a", item="i", text=PRAISE)))
    found = outputs_of(live, Event(id="x", type="review", at=9, account="a", item="j", text=PRAISE))
    assert found["content.repeats_itself"] > 0.5
    assert found["content.near_duplicate"] == found["content.copied_by_accounts"] == 0


def test_templates_are_found_under_other_names() -> None:
    recent = NearDuplicates(capacity=256)
    for number, name in enumerate(("Anna", "Bo", "Carlos")):
        text = f"My friend {name} bought the Kenso {number}00 and we are both very happy with what it does for us."
        recent.add(text, at=number, account=number + 1)
    text = "My friend Dilek bought the Marva 900 and we are both very happy with what it does for us."
    likeness = recent.look(text, at=9, account=9)
    assert likeness.template_accounts == 3
    assert likeness.template_closest > likeness.closest


@pytest.mark.parametrize("text", ["good", "很好", "good product, thanks", ""])
def test_short_texts_are_no_copies(text: str) -> None:
    recent = NearDuplicates(capacity=64)
    for number in range(5):
        recent.add(text, at=number, account=number + 1)
    assert recent.look(text, at=9, account=99).accounts == 0


def test_memory_is_bounded_and_the_oldest_forgotten() -> None:
    recent = NearDuplicates(capacity=64)
    recent.add(PRAISE, at=0, account=1)
    for number, event in enumerate(make_reviews(70, seed=5)):
        if event.text != PRAISE:
            recent.add(str(event.text) + f" {number} {number * 7} {number * 13} times", at=1, account=2)
    while int(recent.state()["count"][0]) <= 64:
        recent.add(
            " ".join(f"w{np.random.default_rng(int(recent.state()['count'][0])).integers(9**9)}" for _ in range(9)),
            at=1,
        )
    assert recent.look(PRAISE, at=2, account=3).accounts == 0
    assert recent.state()["facts"].shape == (64, 4)


def test_stars_against_the_words() -> None:
    words = RatingWords()
    assert np.isnan(words.disagreement("broken", 5))
    for _ in range(120):
        words.add("broken on arrival, want my money back, never again", 1)
        words.add("works perfectly, lovely and fast delivery", 5)
    assert words.disagreement("broken on arrival, never again", 5) > 0.9
    assert words.disagreement("works perfectly, lovely", 1) > 0.9
    assert words.disagreement("works perfectly, lovely", 5) == 0
    assert words.disagreement("entirely unknown things", 5) == 0
    assert words.disagreement("broken", 3) == 0


@pytest.mark.parametrize(
    "text", ["Gооd quality", "pay\u200bpal", "𝐂𝐡𝐞𝐚𝐩 watches", "c h e a p watches", "v.i.a.g.r.a now", "a̴̵̶b"]
)
def test_disguises_are_seen(text: str) -> None:
    found = find_disguise(text)
    assert found.score >= 0.4
    assert found.sentence


@pytest.mark.parametrize(
    "text",
    [
        "Très bon, déjà vu", "Хорошая вещь", "Sản phẩm rất tốt", "很好，物流快", "می‌خواهم", "👨‍👩‍👧 loved it",
        "5 µm filter",
        "Size S, M and L", "I am a fan", "Ω resistor 5Ω", "",
    ],
)  # fmt: skip
def test_plain_writing_in_any_script_is_none(text: str) -> None:
    assert find_disguise(text).score == 0


@pytest.mark.parametrize(
    "text",
    [
        "write to me at seller (at) example (dot) com", "call ０１７０ １２３４５６７", "whatsapp me +4917000012345",
        "加微信 abc12345",
        "visit www.cheap.example/now", "please pay me directly", "telegram: @cheapstuff", "1-8-0-0-5-5-5-0-1-9-9 call",
    ],
)  # fmt: skip
def test_ways_out_are_seen(text: str) -> None:
    assert find_contacts(text).score > 0.4
    assert find_contacts(text).sentence


@pytest.mark.parametrize(
    "text",
    [
        "Arrived 2024-05-17, 3 of 4 parts", "12.50 each, 1,000,000 times better", "the signal is bad",
        "good line of shoes", "as seen on instagram today",
        "00000000000", "at home. Come in", "Bought 2 for 30 euros",
    ],
)  # fmt: skip
def test_ordinary_numbers_and_words_are_none(text: str) -> None:
    assert find_contacts(text).score == 0


def test_bait_prices_are_held_against_the_offer() -> None:
    live = LiveContent(capacity=64)
    event = {"type": "listing", "at": 1, "seller": "s", "item": "i", "list_price_minor": 99_900, "currency": "EUR"}
    bait = outputs_of(live, Event(id="1", text="New phone for only 9.99 EUR, ask me", **event))
    fair = outputs_of(live, Event(id="2", text="New phone, was 1099 EUR in the shops", **event))
    assert bait["content.price_bait"] > 0.5
    assert fair["content.price_bait"] == 0


def test_events_without_texts_are_not_judged() -> None:
    live = LiveContent(capacity=64)
    events = [Event(id="1", type="login_failed", at=1, account="a"), Event(id="2", type="search", at=1, text=PRAISE)]
    events.append(Event(id="3", type="review", at=1, account="a", item="i"))
    assert np.isnan(live.advance(batch_of(*events))).all()
    assert live.reasons([0, 1, 2]) == [[], [], []]


@pytest.mark.parametrize("size", [1, 7, 60])
def test_batching_changes_nothing_and_score_keeps_nothing(size: int) -> None:
    events = make_reviews(60)
    whole, live = LiveContent(capacity=64), LiveContent(capacity=64)
    expected = whole.advance(batch_of(*events))
    parts = []
    for start in range(0, 60, size):
        batch = batch_of(*events[start : start + size])
        ahead = live.score(batch)
        moved = live.advance(batch)
        np.testing.assert_array_equal(ahead[0], moved[0])
        parts.append(moved)
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    assert {name: one.tobytes() for name, one in whole.state().items()} == {
        name: one.tobytes() for name, one in live.state().items()
    }


def test_restored_state_goes_on_alike() -> None:
    events = make_reviews(80)
    live = LiveContent(capacity=64, seed=3)
    live.advance(batch_of(*events[:50]))
    other = LiveContent(capacity=64, seed=9)
    other.restore({name: one.copy() for name, one in live.state().items()})
    np.testing.assert_array_equal(live.advance(batch_of(*events[50:])), other.advance(batch_of(*events[50:])))
    with pytest.raises(ArtefactError):
        LiveContent(capacity=128).restore(live.state())


def test_stars_of_events_are_shares_and_words_against_them_are_found() -> None:
    live = LiveContent(capacity=256)
    texts = (
        "The lamp number {} arrived broken and ugly, refund please",
        "The lamp number {} is bright, pretty and warm",
    )
    reviews = [
        Event(
            id=str(number), type="review", at=number * HOUR, account=f"a-{number}", item="i", rating=float(number % 2),
            text=texts[number % 2].format(number),
        )
        for number in range(260)
    ]  # fmt: skip
    # Copies teach no words, and these are copies but for a number: so they are taught apart.
    for review in reviews:
        live._words.add(str(review.text), 1 + 4 * float(review.rating or 0))
    wrong = Event(id="x", type="review", at=300 * HOUR, account="b", item="i", rating=1.0, text="broken, ugly, refund")
    right = Event(id="y", type="review", at=300 * HOUR, account="b", item="i", rating=0.0, text="broken, ugly, refund")
    found = live.score(batch_of(wrong, right))[:, OUTPUTS.index("content.rating_disagreement")]
    assert found[0] > 0.9
    assert found[1] == 0
    assert "5 stars beside words of the other end" in live.reasons([0])[0][0].text


def test_a_snapshot_of_changed_pages_is_the_state_of_its_moment() -> None:
    live, events = LiveContent(capacity=64), make_reviews(90)
    live.advance(batch_of(*events[:50]))
    wanted = {}
    for name, (pages, _) in live.pages().items():
        changed = np.zeros(len(pages.marks), np.bool_)
        pages.want(0, changed)
        wanted[name] = (live.state()[name].copy(), changed)
    live.advance(batch_of(*events[50:]))
    for name, (pages, _) in live.pages().items():
        pages.save(0, len(pages.marks), most=1 << 20)
        before, changed = wanted[name][0].reshape(-1).view(np.uint64), wanted[name][1]
        inside = np.repeat(changed, 512)[: len(before)]
        np.testing.assert_array_equal(pages.saved[: len(before)][inside], before[inside])
        assert not before[~inside].any()


def test_settings_are_checked_and_masks_taken_off() -> None:
    with pytest.raises(UsageError):
        NearDuplicates(capacity=100)
    assert unmask("ｐａｙ\u200bpal") == "paypal"


@pytest.mark.parametrize(
    "text", ["a" * 8000 + "@", "a " * 4000, "1" * 8000, "1 " * 4000 + "x", "a.b" * 2600, "whatsapp " * 800]
)
def test_long_texts_have_an_answer(text: str) -> None:
    assert 0 <= find_contacts(text).score <= 1
    assert 0 <= find_disguise(text).score <= 1
