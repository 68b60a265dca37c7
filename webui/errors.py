"""What can go wrong in a way that a person can mend. Everything else is a bug and is logged as one."""

from __future__ import annotations


class UserError(Exception):
    """A failure the person can do something about.

    ``message`` is one clear sentence in English that says what to do; it never holds a path or a traceback.
    ``key`` names the same sentence in the page's label table, ``values`` fills its blanks, so that the page
    can say it in the person's language.
    """

    def __init__(self, key: str, message: str, **values: object) -> None:
        super().__init__(message)
        self.key = key
        self.message = message
        self.values = values


class AudioError(UserError):
    """The sound that was given cannot be used (empty, silent, broken, too long, not audio)."""


class ModelError(UserError):
    """A model could not be fetched, verified or loaded."""


class EngineError(UserError):
    """An engine cannot do what was asked of it, or failed while doing it."""


class Cancelled(Exception):  # noqa: N818  (a signal, not an error)
    """The work was cancelled by the person or overtaken by a newer turn."""
