"""Browsers and telephones that people own: what a shop sees of each, and how it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.events.event import DeviceFacts
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.persona import Device
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.world._models import JA4, MODELS, USES
from floorwalker.simulation.shop.world._tables import Texts, texts
from floorwalker.simulation.shop.world.countries import LANGUAGES

_WEST = np.array([model.weight[0] for model in MODELS])
_CHINA = np.array([model.weight[1] for model in MODELS])
_USE = np.array([USES.index(model.use) for model in MODELS])
_SPREAD = np.array([model.spread for model in MODELS])
_UPDATED = np.array([model.before != ("", "") for model in MODELS])
APP, PHONE, DESKTOP, TABLET, MINI = range(len(USES))
"""Uses of a model, as numbers."""


_ANDROID = np.array([model.os == "Android" for model in MODELS])
_CHINESE = np.array([model.weight[1] > model.weight[0] for model in MODELS])
"""Telephones that are sold in China above all: most of them lack the services that an attestation needs."""
EMULATED = "Android SDK built for x86"
"""What an emulator calls itself that does not pretend to be a telephone."""
NOTICED = ("emulator", "rooted", "hooked", "cloned", "mock_location")
"""What the app's SDK notices of a device now and then; it says nothing of the others."""
_SHARES = {"emulator": 0.006, "rooted": 0.014, "hooked": 0.003, "cloned": 0.02, "mock_location": 0.008}
"""Shares of the app's honest devices on Android: people who play or work on a computer, who own their telephone in
full, who use an app twice, who hide where they are. Assumptions of ours: no public data says them for a shop's app."""
_ON_IPHONES = {"emulator": 0.0, "rooted": 0.0015, "hooked": 0.0005, "cloned": 0.0, "mock_location": 0.001}
_UNAVAILABLE, _UNAVAILABLE_IN_CHINA, _FAILS, _FAILS_ALTERED = 0.03, 0.7, 0.008, 0.7
"""Shares of attestations: not to be had (old systems, no services), failed, and failed where something was noticed."""

RENEWED_APPS = frozenset(model.app_version for model in MODELS if model.use == "app" and model.before[0])
"""Versions of the shop's app that come out during the run."""


def _edges(weights: NDArray[np.float64], use: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows = np.flatnonzero((use == _USE) & (weights > 0))
    if not len(rows):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    edges = np.cumsum(weights[rows])
    return rows, edges / edges[-1]


_BY_USE = [[_edges(weights, use) for use in range(len(USES))] for weights in (_WEST, _CHINA)]


class Devices:
    """What is known of the models of devices, as columns by the model's place, and what a device says at a time.

    Parameters
    ----------
    scenario : says when the app's and the browser's releases come out.
    chance : draws fingerprints and when each device is updated.

    Attributes
    ----------
    use : int64 [models], `APP`, `PHONE`, `DESKTOP`, `TABLET` or `MINI`.
    user_agent, user_agent_before, channel, ja4, kind, os, os_version, model, screen, app, app_version,
    app_version_before : columns of `str` [models]; "" for nothing.
    app_release_at, browser_release_at : microseconds.
    """

    def __init__(self, scenario: Scenario, chance: Chance) -> None:
        self._chance = chance
        self.use = _USE
        self.user_agent = texts([model.user_agent for model in MODELS])
        self.user_agent_before = texts([model.before[1] or model.user_agent for model in MODELS])
        self.channel = texts([model.channel for model in MODELS])
        self.ja4 = texts([model.ja4 for model in MODELS])
        self.kind = texts([model.kind for model in MODELS])
        self.os = texts([model.os for model in MODELS])
        self.os_version = texts([model.os_version for model in MODELS])
        self.model = texts([model.model for model in MODELS])
        self.screen = texts([model.screen for model in MODELS])
        self.app = texts([model.app for model in MODELS])
        self.app_version = texts([model.app_version for model in MODELS])
        self.app_version_before = texts([model.before[0] or model.app_version for model in MODELS])
        self.app_release_at = scenario.first_at + int(scenario.days * 0.43) * DAY + DAY // 3
        self.browser_release_at = scenario.first_at + 2 * DAY + DAY // 2

    def draw_models(
        self, uniform: NDArray[np.float64], use: NDArray[np.int64], china: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """A model for each draw by the market's shares; a messenger's program is a phone's browser in the West."""
        use = np.where((use == MINI) & ~china, PHONE, use)
        made = np.zeros(len(use), dtype=np.int64)
        for market in (0, 1):
            for one in range(len(USES)):
                rows = np.flatnonzero((use == one) & (china == bool(market)))
                if len(rows):
                    models, edges = _BY_USE[market][one]
                    found = np.searchsorted(edges, uniform[rows], side="right")
                    made[rows] = models[np.minimum(found, len(models) - 1)]
        return made

    def fingerprints(
        self, models: NDArray[np.int64], numbers: NDArray[np.uint64], languages: NDArray[np.int64]
    ) -> Texts:
        """Fingerprints: owners of one series of telephones in one language share a few, desktops rarely any."""
        words = self._chance.words("device/fingerprint", numbers)
        bucket = words % _SPREAD[models].astype(np.uint64)
        key = (models.astype(np.uint64) << np.uint64(24)) + (languages.astype(np.uint64) << np.uint64(16)) + bucket
        return texts(["fp" + name for name in self._chance.names("fingerprint", key, 10)])

    def is_updated(
        self, models: NDArray[np.int64], numbers: NDArray[np.uint64], at: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether each device's program is the new one: updates spread over days, and some never come."""
        in_app = (_USE[models] == APP).astype(np.int64)
        released = np.where(in_app == 1, self.app_release_at, self.browser_release_at)
        delay = -np.log1p(-self._chance.uniform("device/update", numbers)) * np.where(in_app == 1, 3.5, 4.5) * DAY
        return np.asarray(_UPDATED[models] & (at >= released + delay), dtype=np.bool_)

    def ages_at_joining(self, numbers: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Seconds for which customers have had the app when they open their accounts."""
        return np.asarray(np.exp(_AGE_NEW + _AGE_SPREAD * self._chance.normal("device/age at joining", numbers)))

    def noticed(self, models: NDArray[np.int64], numbers: NDArray[np.uint64]) -> dict[str, NDArray[Any]]:
        """What the app's SDK says of devices, whoever owns them.

        Parameters
        ----------
        models : int64 [k]. numbers : uint64 [k], of the devices.

        Returns bool [k] for each of `NOTICED`; `attestation`, `str` [k], "" outside the app; `shown`, bool [k], where
        an emulator says what it is instead of naming a telephone.
        """
        chance, app = self._chance, _USE[models] == APP
        android = _ANDROID[models]
        found: dict[str, NDArray[Any]] = {}
        for name in NOTICED:
            share = np.where(android, _SHARES[name], _ON_IPHONES[name])
            found[name] = app & (chance.uniform(f"device/{name}", numbers) < share)
        altered = found["emulator"] | found["rooted"] | found["hooked"]
        without = np.where(android & _CHINESE[models], _UNAVAILABLE_IN_CHINA, _UNAVAILABLE)
        fails = np.where(altered, _FAILS_ALTERED, _FAILS)
        draw = chance.uniform("device/attestation", numbers)
        said = np.select([draw < fails, draw < fails + (1.0 - fails) * without], ["failed", "unavailable"], "passed")
        found["attestation"] = texts(np.where(app, said, "").tolist())
        found["shown"] = found["emulator"] & (chance.uniform("device/emulator shown", numbers) < 0.35)
        return found

    def device(
        self, model: int, device: str, fingerprint: str, language: str, offset: int, *, updated: bool = True,
        install_age: int | None = None, noticed: Mapping[str, Any] = MappingProxyType({}),
    ) -> Device:  # fmt: skip
        """One device as a record; `noticed` holds one device's values of what the method of this name says."""
        seen = MODELS[model]
        in_app = seen.use in ("app", "mini")
        said: dict[str, Any] = {name: True for name in NOTICED if noticed.get(name)}
        if noticed.get("attestation"):
            said["attestation"] = str(noticed["attestation"])
        name = EMULATED if noticed.get("shown") else seen.model
        facts = DeviceFacts(
            **said,
            kind=seen.kind,  # type: ignore[arg-type]
            os=seen.os,
            os_version=seen.os_version,
            model=(name or None) if in_app else None,
            app=seen.app or None,
            app_version=(seen.app_version if updated else seen.before[0] or seen.app_version) or None,
            screen=seen.screen,
            utc_offset_minutes=offset,
            fingerprint=fingerprint,
            install_age_seconds=install_age if in_app else None,
        )
        agent = seen.user_agent if updated else seen.before[1] or seen.user_agent
        return Device(device, agent, seen.channel, language, facts, seen.ja4)


_AGE_NEW, _AGE_SPREAD = 8.8, 1.6
"""Mean and standard deviation of the logarithm of the seconds for which a new customer has had the app."""


@dataclass(frozen=True)
class DeviceMaker:
    """Makes devices for those who need new ones.

    Parameters
    ----------
    devices : the models.
    chance : names them.
    """

    devices: Devices
    chance: Chance

    def make(
        self, rng: Generator, *, kind: str, china: bool = False, language: str = "de-DE", offset: int = 60,
        hidden: float = 0.0, at: int = 0, fresh: bool = False,
    ) -> Device:  # fmt: skip
        """A device that the shop has not seen.

        Parameters
        ----------
        kind : `phone` (with the app), `browser` (a phone's), `desktop`, `tablet`, `mini`; `emulator`, `clone` (one app
            several times on one phone), `farm_phone` (a cheap phone among hundreds); `headless` (a browser without a
            window), `script` (no browser at all).
        hidden : 0 to 1, how probable it is that what would betray it stays hidden.
        at : time, for the version of its program; 0 for the newest.
        fresh : the account that it is used with is opened now, so its app is as old as that of new customers.
        """
        base = {"phone": APP, "browser": PHONE, "desktop": DESKTOP, "tablet": TABLET, "mini": MINI, "emulator": APP,
                "clone": APP, "farm_phone": APP, "headless": DESKTOP, "script": DESKTOP}[kind]  # fmt: skip
        number = np.array([rng.integers(1 << 62)], dtype=np.uint64)
        draw = rng.random(1)
        if kind == "farm_phone":
            draw = draw**1.6  # the same few cheap series
        model = self.devices.draw_models(draw, np.array([base]), np.array([china]))
        while kind in ("emulator", "clone") and not _ANDROID[model[0]]:
            # Nobody emulates the other system, and nobody clones its apps.
            model = self.devices.draw_models(rng.random(1), np.array([base]), np.array([china]))
        updated = bool(at == 0 or self.devices.is_updated(model, number, np.array([at]))[0])
        tongue = np.array([LANGUAGES.index(language) if language in LANGUAGES else 0])
        fingerprint = self.devices.fingerprints(model, number, tongue)[0]
        # Whoever hides what he does has had the app for months.
        middle = _AGE_NEW if fresh or kind not in ("phone", "mini") else 12.5 + 3.7 * hidden
        age = int(rng.lognormal(middle, _AGE_SPREAD))
        name = self.chance.names("device/new", number)[0]
        noticed = {what: column[0] for what, column in self.devices.noticed(model, number).items()}
        made = self.devices.device(int(model[0]), name, fingerprint, language, offset, updated=updated,
                                   install_age=min(age, 10**9), noticed=noticed)  # fmt: skip
        return _betray(rng, made, kind, hidden)


def _betray(rng: Generator, device: Device, kind: str, hidden: float) -> Device:
    shown = rng.random() >= hidden
    facts = device.facts or DeviceFacts()
    changes: dict[str, object] = {}
    if kind == "emulator" and shown:
        changes = {"emulator": True, "attestation": "failed", "model": EMULATED}
    elif kind == "clone" and shown:
        changes = {"cloned": True, "attestation": "unavailable"}
    elif kind == "farm_phone" and shown:
        rooted, elsewhere = rng.random() < 0.5, rng.random() < 0.2
        changes = {"rooted": True} if rooted else {}
        changes |= {"mock_location": True} if elsewhere else {}
    elif kind == "script" and shown:
        agent = ("python-requests/2.32.5", "Go-http-client/2.0", "axios/1.12.2")[int(rng.integers(3))]
        return Device("", agent, "api", "", None, JA4["script"])
    elif kind == "headless" and shown:
        agent = device.user_agent.replace(" Chrome/", " HeadlessChrome/")
        return Device(
            device.id, agent, device.channel, "en-US", msgspec.structs.replace(facts, screen="800x600"), device.ja4
        )
    if not changes:
        return device
    return Device(
        device.id,
        device.user_agent,
        device.channel,
        device.language,
        msgspec.structs.replace(facts, **changes),
        device.ja4,
    )
