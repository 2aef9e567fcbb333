"""Which devices customers own and share, and which networks they come from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.world import networks as nets
from floorwalker.simulation.shop.world import segments
from floorwalker.simulation.shop.world._tables import Texts, texts
from floorwalker.simulation.shop.world.countries import CODES
from floorwalker.simulation.shop.world.devices import APP, DESKTOP, MINI, PHONE, TABLET, Devices
from floorwalker.simulation.shop.world.dwellings import uneven
from floorwalker.simulation.shop.world.households import countries_of, household_heads, partners, partners_back

_U = np.uint64
_CHINA = CODES.index("CN")
_SECOND_HAND = segments.place_of("second_hand_phone")
_DESK = np.array([segment.name in ("office_worker", "bulk_buyer", "tester") for segment in segments.SEGMENTS])
_ACCESS = segments.place_of("accessibility")
_BOUGHT = _U(3)
"""Last two bits of a device number: 0 to 2 the owner's slots, 3 the same telephone in the hands of who bought it."""


class Belongings:
    """Draws them.

    Parameters
    ----------
    scenario, chance, devices, networks : of the world.
    customers : how many there are.
    """

    def __init__(
        self, scenario: Scenario, chance: Chance, devices: Devices, networks: nets.Networks, customers: int
    ) -> None:
        self._scenario, self._chance, self._devices = scenario, chance, devices
        self._networks, self._customers = networks, customers

    def born(self, numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Years of birth."""
        draw = 0.35 * self._chance.uniform("born", numbers) + 0.65 * self._chance.uniform("born/2", numbers)
        return 1948 + (58 * draw).astype(np.int64)

    def first_models(
        self, numbers: NDArray[np.uint64], china: NDArray[np.bool_], kind: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The models of people's own first devices, places in `MODELS`."""
        young = np.clip((self.born(numbers) - 1950) / 55, 0, 1)
        draw = self._chance.uniform("device/use", numbers)
        in_app = 0.22 + 0.2 * young + 0.15 * china
        in_mini = in_app + np.where(china, 0.3, 0.0)
        use = np.select(
            [draw < in_app, draw < in_mini, draw < in_mini + 0.24 + 0.1 * young], [APP, MINI, PHONE], DESKTOP
        )
        use = np.where(_DESK[kind] | ((kind == _ACCESS) & (draw > 0.4)), DESKTOP, use)
        return self._devices.draw_models(self._chance.uniform("device/model", numbers), use, china)

    def draw_devices(
        self, numbers: NDArray[np.uint64], heads: NDArray[np.uint64], where: NDArray[np.int64],
        kind: NDArray[np.int64], *, alone: bool,
    ) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.float64]]:  # fmt: skip
        """Models, numbers and weights of three devices each, as `People` has them; nobody sold one to `alone` ones."""
        chance, devices = self._chance, self._devices
        china = where == _CHINA
        count = len(numbers)
        model = np.full((count, 3), -1, dtype=np.int64)
        number = np.stack([numbers * _U(4), numbers * _U(4) + _U(1), heads * _U(4) + _U(2)], axis=1)
        model[:, 0] = self.first_models(numbers, china, kind)
        at_desk = devices.use[model[:, 0]] == DESKTOP
        second = chance.uniform("device/second", numbers)
        other = np.where(at_desk, np.where(second < 0.2, APP, PHONE), np.where(second < 0.32, DESKTOP, TABLET))
        rows = np.flatnonzero(second < np.where(at_desk, 0.5, 0.42))
        model[rows, 1] = devices.draw_models(chance.uniform("device/model 2", numbers[rows]), other[rows], china[rows])
        shared = np.flatnonzero(chance.uniform("device/shared", numbers) < np.where(heads != numbers, 0.5, 0.1))
        use = np.where(chance.uniform("device/shared use", heads[shared]) < 0.55, DESKTOP, TABLET)
        draw = chance.uniform("device/model 3", heads[shared])
        model[shared, 2] = devices.draw_models(draw, use, china[shared])
        used = np.flatnonzero(kind == _SECOND_HAND)
        if len(used) and not alone:
            before = partners(numbers[used], self._customers)
            model[used, 0] = self._models_of(before)
            number[used, 0] = before * _U(4) + _BOUGHT
        weight = np.where(model >= 0, np.array([[0.74, 0.2, 0.06]]), 0.0)
        return model, number, weight / weight.sum(axis=1, keepdims=True)

    def _models_of(self, numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
        china = countries_of(self._chance, household_heads(self._chance, numbers)) == _CHINA
        return self.first_models(numbers, china, self._chance.choice("segment", numbers, segments.SHARES))

    def handed_over_at(self, buyers: NDArray[np.uint64]) -> NDArray[np.int64]:
        """When buyers of second-hand telephones got them: within the run."""
        along = 0.1 + 0.8 * self._chance.uniform("second hand", buyers)
        return self._scenario.first_at + (along * self._scenario.days * DAY).astype(np.int64)

    def device_ids(
        self, device_numbers: NDArray[np.uint64], clears_days: NDArray[np.int64], at: NDArray[np.int64]
    ) -> Texts:
        """The ids of devices at times.

        Whoever clears cookies is a new device after every few days. A telephone that was sold keeps its id: until then
        its first owner has it, who then has a new one, and from then on the buyer, who had another before.
        """
        keys = np.asarray(device_numbers, dtype=np.uint64).copy()
        at = np.asarray(at, dtype=np.int64)
        slot, owner = keys & _U(3), keys >> _U(2)
        known = owner < _U(self._customers)
        rows = np.flatnonzero((slot == _BOUGHT) & known)
        if len(rows):
            buyer = partners_back(owner[rows], self._customers)
            own = at[rows] < self.handed_over_at(buyer)
            keys[rows] = np.where(own, buyer * _U(4), owner[rows] * _U(4))
        rows = np.flatnonzero((slot == _U(0)) & known)
        if len(rows):
            buyer = partners_back(owner[rows], self._customers)
            sold = self._chance.choice("segment", buyer, segments.SHARES) == _SECOND_HAND
            # The seller's next telephone is no customer's number: a bit far above them all.
            gone = rows[sold & (at[rows] >= self.handed_over_at(buyer))]
            keys[gone] |= _U(1 << 50)
        life = np.where(clears_days > 0, clears_days, 36_500) * DAY
        phase = (self._chance.words("device/phase", keys) % _U(1 << 40)).astype(np.int64) % life
        epoch = ((at + phase) // life).astype(np.uint64)
        return texts(self._chance.names("device", (keys << _U(12)) ^ (epoch * _U(0x5851F42D4C957F2D))))

    def draw_networks(
        self, numbers: NDArray[np.uint64], heads: NDArray[np.uint64], where: NDArray[np.int64], kind: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Codes and weights of three networks each, as `People` has them."""
        chance, book = self._chance, self._networks
        member = chance.words("network/member", numbers) & _U(0x7FFFFFFF) | _U(1)
        home = book.codes(nets.HOME, heads, member)
        carrier = book.codes(nets.CARRIER, book.draw_carriers(chance.uniform("carrier", numbers), where), member)
        office = book.codes(nets.OFFICE, uneven(chance, "office", heads, book.offices), member)
        guest = book.codes(nets.GUEST, uneven(chance, "guest network", numbers, book.guests), member)
        third = np.where(chance.uniform("network/third", numbers) < 0.6, office, guest)
        made = np.stack([home, carrier, third], axis=1)
        weight = np.repeat(np.array([[0.66, 0.28, 0.06]]), len(numbers), axis=0)
        usual = segments.column("network")[kind]
        codes = {
            "office": office,
            "guest": guest,
            "campus": book.codes(nets.CAMPUS, uneven(chance, "campus", heads, book.campuses), member),
            "dormitory": book.codes(nets.DORMITORY, uneven(chance, "dormitory", heads, book.dormitories), member),
            "vpn": book.codes(nets.VPN, uneven(chance, "vpn", numbers, book.tunnels), member),
            "relay": book.codes(nets.RELAY, uneven(chance, "relay", numbers, book.relays), member),
        }
        for name, code in codes.items():
            rows = np.flatnonzero(usual == name)
            made[rows, 0], made[rows, 2] = code[rows], home[rows]
            weight[rows] = (0.62, 0.2, 0.18)
        rows = np.flatnonzero(usual == "carrier")
        made[rows, 0], made[rows, 1] = carrier[rows], home[rows]
        weight[rows] = (0.95, 0.03, 0.02)
        return made, weight
