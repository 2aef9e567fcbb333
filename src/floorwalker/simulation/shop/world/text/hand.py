"""How somebody types: capitals, marks, slips, small pictures; and how letters are swapped for look-alikes."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

_NEXT = {"a": "s", "e": "r", "i": "o", "n": "m", "o": "p", "r": "t", "s": "d", "t": "z", "l": "k", "h": "g", "d": "f",
         "c": "v", "u": "i", "m": "n", "g": "h", "b": "v", "w": "e", "k": "l", "f": "g", "p": "o"}  # fmt: skip
_PICTURES = ("👍", "😊", "❤️", "🙂", "⭐", "👌", "😀", "🙈", "😡", "🎁")
_LOOKS = {"a": "а", "e": "е", "o": "о", "p": "р", "c": "с", "x": "х", "i": "і", "A": "А", "B": "В", "E": "Е", "H": "Н",
          "K": "К", "M": "М", "O": "О", "P": "Р", "T": "Т", "l": "1", "O ": "0 "}  # fmt: skip
"""Letters and others that look like them, Cyrillic mostly."""
_CHINESE_LOOKS = {"正": "㱏", "品": "品\u200b", "原": "厡", "装": "裝", "发": "發", "包": "苞", "退": "腿", "券": "卷"}


@dataclass(frozen=True)
class Hand:
    """One writer's habits, each 0 to 1.

    Parameters
    ----------
    lower : begins sentences with a small letter.
    slips : how often a word is mistyped.
    pictures : how often a sentence ends in a small picture.
    shouts : how often a sentence ends in marks of exclamation.
    runs_on : how often two sentences are joined by a comma.
    """

    lower: float
    slips: float
    pictures: float
    shouts: float
    runs_on: float


def draw_hand(rng: Generator, care: float = 0.5) -> Hand:
    """A writer; the more `care`, 0 to 1, the fewer slips. Everybody is drawn from the same wide range."""
    draw = rng.random(5)
    return Hand(
        lower=float(draw[0] > 0.45 + 0.5 * care),
        slips=0.035 * float(draw[1]) ** 2 * (1.6 - 1.4 * care),
        pictures=0.5 * max(0.0, float(draw[2]) - 0.8) / 0.2,
        shouts=0.6 * max(0.0, float(draw[3]) - 0.7) / 0.3,
        runs_on=0.5 * float(draw[4]) ** 2,
    )


def join_sentences(sentences: list[list[str]], language: str, hand: Hand, rng: Generator) -> str:
    """Sentences as one writer types them."""
    made: list[str] = []
    draws = rng.random((len(sentences), 4)).tolist()
    for place, words in enumerate(sentences):
        if not words:
            continue
        run_on, shout, picture, mark = draws[place]
        if language == "zh":
            text = "".join(words)
        else:
            if hand.slips:
                words = [_slip(word, rng) if rng.random() < hand.slips else word for word in words]
            text = " ".join(words).replace(" ,", ",")
            if not hand.lower and not (made and made[-1] == ","):
                text = text[:1].upper() + text[1:]
        made.append(text)
        if picture < hand.pictures:
            made.append((" " if language != "zh" else "") + _PICTURES[int(mark * len(_PICTURES))])
        last = place == len(sentences) - 1
        if not last and run_on < hand.runs_on:
            made.append(",")
        elif shout < hand.shouts:
            made.append("!!" if mark < 0.3 else "!")
        elif not (last and mark < 0.4):
            made.append("。" if language == "zh" else ".")
    if language == "zh":
        return "".join(made).replace(",", "，").replace("!", "！")
    text = made[0] if made else ""
    for part in made[1:]:
        text += part if part[0] in ".,! " else " " + part
    return text.strip()


def _slip(word: str, rng: Generator) -> str:
    """A word with one slip: two letters swapped, one doubled, left out, or the neighbouring key."""
    if len(word) < 4 or not word.isalpha():
        return word
    place = 1 + int(rng.random() * (len(word) - 2))
    how = rng.random()
    if how < 0.35:
        return word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]
    if how < 0.6:
        return word[:place] + word[place + 1 :]
    if how < 0.8:
        return word[:place] + word[place] + word[place:]
    return word[:place] + _NEXT.get(word[place], word[place]) + word[place + 1 :]


def disguise(text: str, rng: Generator, share: float) -> str:
    """The text with a share of its letters swapped for look-alikes, as copied catalogues have by accident too."""
    made = []
    for letter, draw in zip(text, rng.random(len(text)).tolist(), strict=True):
        other = _LOOKS.get(letter) or _CHINESE_LOOKS.get(letter)
        made.append(other if other is not None and draw < share else letter)
    return "".join(made)
