"""Classifies texts by what they say and how: an encoder and n-grams together, for any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.content._arrays import pack_arrays, pack_facts, unpack_arrays, unpack_facts
from floorwalker.detectors.content._characters import as_texts
from floorwalker.detectors.content._gate import LEAST_TEXTS, Gate, fit_gate
from floorwalker.detectors.content._inputs import GRAM_VIEWS, Inputs
from floorwalker.detectors.content._stacking import Stack, choose_stack, measure_binary
from floorwalker.detectors.content._views import (
    DENSE_VIEWS,
    KERNEL_VIEWS,
    KINDS,
    PHRASES,
    View,
    make_views,
    share_grams,
)
from floorwalker.detectors.content.encoder import ENCODERS, Encoder, load_encoder
from floorwalker.detectors.content.style import style_rows
from floorwalker.detectors.content.tuned import TUNED, TunedView, Tuning
from floorwalker.errors import InputError, NotReadyError, UsageError
from floorwalker.models.artefacts import load_artefact, save_artefact

VERSION = 4
GATE = "trees over all views"
"""Their name among the figures of `validation`."""
LEAST_OF_A_CLASS = 4
DEFAULT_VIEWS = ("words", "words+", "words=", "characters", "characters+", "characters=", "phrases", "style")


@dataclass
class TextClassifier:
    """Heads on n-grams, style and frozen embeddings, stacked; what wins on validation is kept.

    Every view has linear heads. What they say of training texts that they did not see (out of fold) trains a
    logistic regression over them. Each view, all n-grams together, and everything are compared by the objective on
    those texts; encoders must win by a standard error (for `accuracy`: of the loss of the same texts, with no more
    errors), else the smallest of the best sets is kept. With 2,000 texts
    and more, boosted trees over the answers of all views, style and `extra` are tried for the one question whether a
    text is harmless; they, too, must win by a standard error, and then give `score`.

    It works against abuse because writers for hire share phrases and habits (n-grams, style) and say the same things
    in other words (encoder); neither is best everywhere, so the data decides.

    Parameters
    ----------
    encoders : out of `minilm_layers` (all that its layers hold), `minilm` (what its last layer says) and `e5`, or none.
        A text's embedding costs about 10 ms (MiniLM).
    views : of n-grams, out of `words`, `characters`, `frames` (common words, endings of the others), `plain_words`,
        `plain_characters` (without accents), each also with `+` (weighed by log-count ratios) or `=` (the mean of those
        ratios alone); `phrases` (a language model a class); and `style`. Encoders add their own, `minilm_layers` also
        `layers_kernel`, and, together with style, `meaning`.
    objective : what is chosen by: `accuracy`, or `macro_f1` where rare classes count as much as common ones; then heads
        are balanced, too, and the classes' offsets are set on the out-of-fold answers.
    folds : of the inner cross-validation.
    seed : of the folds, and of what is drawn in tuning.
    tuning : how MiniLM is trained further on these texts, beside the frozen encoders; None: it is not. Some minutes an
        epoch on a processor for a thousand reviews. It, too, is kept only where it wins.

    Texts may be empty (or None). Classes may be whole numbers or texts; at least two, with 4 texts each.

    Source: D. Wolpert, *Stacked generalization*, 1992; S. Wang, C. Manning, *Baselines and bigrams*, ACL 2012.

    >>> good, bad = ["lovely quiet room", "kind staff, clean room"], ["buy now!!! cheap", "cheap pills buy!!!"]
    >>> classifier = TextClassifier(encoders=(), views=("characters", "style"), folds=2)
    >>> classifier = classifier.fit(good * 4 + bad * 4, [0] * 8 + [1] * 8)
    >>> [bool(one) for one in classifier.score(["clean and quiet", "cheap!!! buy"]) > 0.5]
    [False, True]
    """

    encoders: tuple[str, ...] = ("minilm_layers",)
    views: tuple[str, ...] = DEFAULT_VIEWS
    objective: Literal["accuracy", "macro_f1"] = "accuracy"
    folds: int = 5
    seed: int = 0
    tuning: Tuning | None = None

    def __post_init__(self) -> None:
        allowed = {*(name + kind for name in GRAM_VIEWS for kind in KINDS), PHRASES, "style"}
        faulty = [name for name in self.views if name not in allowed]
        faulty += [name for name in self.encoders if name not in ENCODERS]
        if faulty or not (self.views or self.encoders) or self.folds < 2:
            raise UsageError(
                f"views={self.views}, encoders={self.encoders}, folds={self.folds}",
                allowed=f"views of {sorted(allowed)}, encoders of {ENCODERS}, at least one of them, 2 folds and more",
            )
        if self.objective not in ("accuracy", "macro_f1"):
            raise UsageError(f"objective={self.objective!r}", allowed="accuracy or macro_f1")
        self.classes: list[Any] = []
        self.chosen: str = ""
        self.validation: dict[str, float] = {}
        self._views: list[View] = []
        self._stack: Stack | None = None
        self._loaded: dict[str, Encoder] = {}
        self._extra = 0
        self._gate: Gate | None = None
        self._tuned: TunedView | None = None

    def fit(
        self,
        texts: Sequence[str | None],
        labels: Sequence[Any] | NDArray[Any],
        *,
        groups: Sequence[Any] | NDArray[Any] | None = None,
        extra: NDArray[Any] | None = None,
        embeddings: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> TextClassifier:
        """Learn from labelled texts.

        Parameters
        ----------
        labels : one a text; the classes are those that occur, in rising order, the first being the harmless one.
        groups : texts of one group (an item, an author) stay in one fold; None: equal texts do.
        extra : float [n, k], further facts of each text, such as the rating; the same k are wanted by `score`.
        embeddings : rows of each encoder where they are already at hand.

        Errors
        ------
        InputError : one class only, or a class with fewer than 4 texts; lengths that differ.
        """
        from floorwalker.detectors.content._training import need_training_extra, split_folds

        need_training_extra()
        clean = as_texts(texts)
        given = np.asarray(labels)
        if given.shape != (len(clean),):
            raise InputError(f"labels of shape {given.shape}", allowed=f"one for each of {len(clean)} texts")
        classes, codes = np.unique(given, return_inverse=True)
        counts = np.bincount(codes, minlength=len(classes))
        if len(classes) < 2 or counts.min() < LEAST_OF_A_CLASS:
            raise InputError(
                f"classes {dict(zip(classes.tolist(), counts.tolist(), strict=True))}",
                allowed=f"two classes and more, {LEAST_OF_A_CLASS} texts of each and more",
            )
        # Nothing of what was learned before: a view that was not chosen then may be now.
        self._views, self._stack, self._gate, self._tuned = [], None, None, None
        self.classes = classes.tolist()
        self._extra = 0 if extra is None else np.asarray(extra).shape[1]
        inputs = self._inputs(clean, extra, embeddings)
        together = clean if groups is None else np.asarray(groups).tolist()
        fold = split_folds(together, self.folds, np.random.default_rng(self.seed))
        held = self._out_of_fold(inputs, codes.astype(np.int64), fold)
        if self.tuning is not None:
            self._tuned = TunedView(self.tuning, self.seed)
            part = split_folds(together, self.tuning.members, np.random.default_rng([self.seed, 1]))
            held[TUNED] = self._tuned.cross_fit(
                inputs, codes.astype(np.int64), len(classes), part, balanced=self._balanced
            )
        self.chosen, self._stack, self.validation = choose_stack(
            held, codes.astype(np.int64), len(classes), fold, objective=self.objective
        )
        self._gate = self._try_gate(inputs, held, codes.astype(np.int64), fold)
        self._views = [view for view in self._make_views() if self._gate is not None or view.name in self._stack.names]
        for view in self._views:
            view.fit(inputs, codes.astype(np.int64), len(classes), balanced=self._balanced)
        return self

    def probabilities(
        self,
        texts: Sequence[str | None],
        *,
        extra: NDArray[Any] | None = None,
        embeddings: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> NDArray[np.float32]:
        """float32 [n, classes], rows that sum to 1, in the order of `classes`. Of two classes they are what `score`
        says; of more they are the linear stack's, also where trees give `score`."""
        return self._answers(texts, extra, embeddings)[1]

    def score(
        self,
        texts: Sequence[str | None],
        *,
        extra: NDArray[Any] | None = None,
        embeddings: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> NDArray[np.float32]:
        """float32 [n] in [0, 1]: the probability of not being of the first class; higher is worse. With `macro_f1`, one
        half is where the mean F1 of harmless and not is best rather than where both are as likely."""
        return self._answers(texts, extra, embeddings)[0]

    def predict(
        self,
        texts: Sequence[str | None],
        *,
        extra: NDArray[Any] | None = None,
        embeddings: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> list[Any]:
        """The likeliest class of each text."""
        best = self.probabilities(texts, extra=extra, embeddings=embeddings).argmax(1)
        return [self.classes[one] for one in best.tolist()]

    def save(self, folder: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        """Write the classifier as an artefact: JSON and arrays; encoders stay in their wheels."""
        if self._stack is None:
            raise NotReadyError("the classifier was saved before fit", fix="call fit(texts, labels) first")
        arrays = {f"view.{view.name}.{key}": value for view in self._views for key, value in view.state().items()}
        arrays |= {f"stack.{key}": value for key, value in self._stack.state().items()}
        plain = {
            "settings": {
                "encoders": list(self.encoders),
                "views": list(self.views),
                "objective": self.objective,
                "folds": self.folds,
                "seed": self.seed,
                "tuning": None if self.tuning is None else asdict(self.tuning),
            },
            "classes": self.classes,
            "chosen": self.chosen,
            "names": list(self._stack.names),
            "validation": self.validation,
            "extra": self._extra,
            "gate": None if self._gate is None else self._gate.threshold,
        }
        files = {"arrays.npz": pack_arrays(arrays), "facts.json": pack_facts(plain)}
        for number, text in enumerate(() if self._gate is None else self._gate.texts):
            files[f"gate_{number}.txt"] = text.encode()
        save_artefact(folder, name="content.classifier", version=VERSION, files=files, facts=dict(facts or {}))

    @classmethod
    def load(cls, folder: Path) -> TextClassifier:
        """Read what `save` wrote; ArtefactError where it is damaged. Probabilities agree to 1e-2 (half precision)."""
        artefact = load_artefact(folder, name="content.classifier", version=VERSION)
        arrays = unpack_arrays(artefact.files["arrays.npz"])
        plain = unpack_facts(artefact.files["facts.json"])
        settings = plain["settings"]
        settings["encoders"], settings["views"] = tuple(settings["encoders"]), tuple(settings["views"])
        settings["tuning"] = None if settings["tuning"] is None else Tuning(**settings["tuning"])
        classifier = cls(**settings)
        classifier._tuned = None if classifier.tuning is None else TunedView(classifier.tuning, classifier.seed)
        classifier.classes, classifier.chosen = plain["classes"], plain["chosen"]
        classifier.validation, classifier._extra = plain["validation"], plain["extra"]
        if plain["gate"] is not None:
            models = sorted(name for name in artefact.files if name.startswith("gate_"))
            classifier._gate = Gate.read(tuple(artefact.files[name].decode() for name in models), plain["gate"])
        kept = [view for view in classifier._make_views() if plain["gate"] is not None or view.name in plain["names"]]
        classifier._views = kept
        for view in classifier._views:
            prefix = f"view.{view.name}."
            view.restore({key[len(prefix) :]: one for key, one in arrays.items() if key.startswith(prefix)})
        share_grams(classifier._views)
        parts = {key[len("stack.") :]: one for key, one in arrays.items() if key.startswith("stack.")}
        classifier._stack = Stack.restore(tuple(plain["names"]), parts)
        return classifier

    @property
    def trees_kept(self) -> bool:
        """Whether boosted trees give `score`."""
        return self._gate is not None

    def _answers(
        self,
        texts: Sequence[str | None],
        extra: NDArray[Any] | None,
        embeddings: Mapping[str, NDArray[np.float32]] | None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """`score` and `probabilities`."""
        if self._stack is None:
            raise NotReadyError("texts were scored before fit", fix="call fit(texts, labels) first")
        inputs = self._inputs(as_texts(texts), extra, embeddings)
        heads = {view.name: view.decide(inputs) for view in self._views}
        chances = self._stack.probabilities(heads)
        if self._gate is None:
            return (1 - chances[:, 0]).astype(np.float32), chances
        score = self._gate.score(self._gate_rows(inputs, heads))
        return score, np.column_stack([1 - score, score]) if len(self.classes) == 2 else chances

    def _gate_rows(self, inputs: Inputs, heads: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        dense = [inputs.dense[name] for name in ("style", "extra") if name in inputs.dense]
        return np.hstack([*(heads[view.name] for view in self._make_views()), *dense]).astype(np.float32)

    def _try_gate(
        self,
        inputs: Inputs,
        held: Mapping[str, NDArray[np.float32]],
        codes: NDArray[np.int64],
        fold: NDArray[np.int64],
    ) -> Gate | None:
        """The trees where they tell harmless texts better than the chosen stack by a standard error."""
        if len(codes) < LEAST_TEXTS:
            return None
        names = self._stack.names if self._stack is not None else ()
        rival = measure_binary(names, held, codes, len(self.classes), fold, objective=self.objective)
        gate, figure = fit_gate(
            self._gate_rows(inputs, held), codes > 0, fold, objective=self.objective, seed=self.seed
        )
        self.validation[GATE], self.validation["harmless by " + self.chosen] = figure, rival
        return gate if figure > rival + np.sqrt(rival * (1 - rival) / len(codes)) else None

    @property
    def _balanced(self) -> bool:
        return self.objective == "macro_f1"

    def _dense_parts(self) -> tuple[str, ...]:
        return (*self.encoders, "style", *(("extra",) if self._extra else ()))

    def _make_views(self) -> list[View]:
        names = [*self.views, *self.encoders]
        names += [name for name, encoder in KERNEL_VIEWS.items() if encoder in self.encoders]
        if self.encoders:
            names.append("meaning")
        elif self._extra:
            names.append("extra")
        views = make_views(tuple(names), self._dense_parts())
        return views if self._tuned is None else [*views, self._tuned]

    def _needed(self) -> set[str]:
        names = {view.name for view in self._views} if self._stack is not None and self._gate is None else set()
        if not names or "meaning" in names:
            return set(self._dense_parts())
        return {KERNEL_VIEWS.get(name, name) for name in names if name in (*DENSE_VIEWS, *KERNEL_VIEWS, "extra")}

    def _inputs(
        self, texts: list[str], extra: NDArray[Any] | None, embeddings: Mapping[str, NDArray[np.float32]] | None
    ) -> Inputs:
        dense: dict[str, NDArray[np.float32]] = {}
        wanted = self._needed()
        if "style" in wanted:
            dense["style"] = style_rows(texts)
        for name in self.encoders:
            if name not in wanted:
                continue
            if embeddings is not None and name in embeddings:
                dense[name] = np.asarray(embeddings[name], np.float32)
            else:
                if name not in self._loaded:
                    self._loaded[name] = load_encoder(name)
                dense[name] = self._loaded[name].embed(texts)
        if self._extra:
            rows = None if extra is None else np.asarray(extra, np.float32)
            if rows is None or rows.shape != (len(texts), self._extra):
                raise InputError(
                    f"extra of shape {None if rows is None else rows.shape}", allowed=f"[{len(texts)}, {self._extra}]"
                )
            dense["extra"] = rows
        faulty = [name for name, rows in dense.items() if len(rows) != len(texts)]
        if faulty:
            raise InputError(f"{', '.join(faulty)} of other lengths than texts", allowed=f"{len(texts)} rows")
        return Inputs(texts, dense)

    def _out_of_fold(
        self, inputs: Inputs, codes: NDArray[np.int64], fold: NDArray[np.int64]
    ) -> dict[str, NDArray[np.float32]]:
        classes = len(self.classes)
        held: dict[str, NDArray[np.float32]] = {}
        for part in range(self.folds):
            inside, outside = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
            if not len(outside):
                continue
            if len(np.unique(codes[inside])) < classes:
                raise InputError("a class whose texts are all in one fold", fix="give more texts or other groups")
            learned, asked = inputs.take(inside), inputs.take(outside)
            for view in self._make_views():
                view.fit(learned, codes[inside], classes, balanced=self._balanced)
                answer = view.decide(asked)
                held.setdefault(view.name, np.zeros((len(codes), answer.shape[1]), np.float32))[outside] = answer
        return held
