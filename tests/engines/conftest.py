"""What several engine tests ask for."""

from __future__ import annotations

import pytest

from tests.engines.tiny_sensevoice import TinySenseVoice, tiny


@pytest.fixture(scope="session")
def tiny_sensevoice() -> TinySenseVoice:
    """The tiny SenseVoice checkpoint and the 30 clips it knows; skips where torch's environment is missing."""
    return tiny()
