"""The search for a blend, in a world where voices are directions."""

from __future__ import annotations

import numpy as np
import pytest

from webui.features.matching import MOST, TRIES, _nearest, _Search, _shares


def world(seed: int):
    """Prints of 30 voices, and what a blend of them sounds like: not quite the blend of their prints."""
    random = np.random.default_rng(seed)
    prints = random.normal(size=(30, 192)) + random.normal(size=192)
    prints /= np.linalg.norm(prints, axis=1, keepdims=True)
    bend = random.normal(size=(30, 192)) * 0.04

    def sound(shares):
        mixed = shares @ (prints + bend)
        return (mixed / np.linalg.norm(mixed)).astype(np.float32)

    return prints.astype(np.float32), sound


@pytest.mark.parametrize("seed", range(5))
def test_the_search_finds_more_than_the_table_knows(seed: int) -> None:
    prints, sound = world(seed)
    hidden = np.zeros(30)
    hidden[[3, 7, 11]] = 0.5, 0.3, 0.2
    target = sound(hidden)
    search = _Search(prints, target)
    first = None
    for _ in range(TRIES):
        shares = search.next()
        assert shares.sum() == pytest.approx(1) and (shares >= 0).all()
        assert 1 <= np.count_nonzero(shares) <= MOST
        search.learn(shares, sound(shares))
        first = search.similarity if first is None else first
    alone = max(float(sound(one) @ target) for one in np.eye(30))
    assert search.similarity >= first and search.similarity > alone + 0.05
    assert float(sound(search.best) @ target) == pytest.approx(search.similarity)
    assert search.similarity > 0.97


def test_a_single_voice_is_found_as_itself() -> None:
    prints, _ = world(1)
    found = _nearest(prints.astype(np.float64), prints[4].astype(np.float64), np.full(30, 1 / 30))
    assert found[4] > 0.95


def test_shares_are_a_projection() -> None:
    np.testing.assert_allclose(_shares(np.array([0.2, 0.3, 0.5])), [0.2, 0.3, 0.5])
    np.testing.assert_allclose(_shares(np.array([5.0, 0.0, -1.0])), [1, 0, 0])
    np.testing.assert_allclose(_shares(np.array([1.0, 1.0, -9.0])), [0.5, 0.5, 0])
