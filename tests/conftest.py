"""Tests know their engines: none is chosen by what this machine has, and no model hub is asked for one."""

from __future__ import annotations

import os

os.environ.setdefault("FUNAUDIO_PROFILE", "embedded")
