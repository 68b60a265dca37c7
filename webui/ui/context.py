"""What every tab is built with."""

from __future__ import annotations

from dataclasses import dataclass

from webui.config import Settings
from webui.engines.registry import Engines


@dataclass(frozen=True)
class PageContext:
    """The settings the program was started with, and its engines (shared by all sessions, built on first use)."""

    settings: Settings
    engines: Engines
