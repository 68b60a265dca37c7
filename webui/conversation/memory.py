"""What a conversation remembers: exchanges, trimmed to the model's context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webui.engines.protocols import Message

# What a chat template adds around a message (role marks and line ends), generously.
TOKENS_PER_MESSAGE = 8


@dataclass(frozen=True)
class Exchange:
    """What the person said (as the model was told it) and what was answered (as far as it was heard)."""

    user: str
    reply: str


def messages(
    opening: tuple[Message, ...],
    history: tuple[Exchange, ...],
    user: str,
    budget: int,
    count: Callable[[str], int],
) -> tuple[Message, ...]:
    """The chat to be continued, its oldest exchanges dropped until it takes at most ``budget`` tokens.

    Exchanges are dropped by half the history at a time rather than one by one: each cut makes the model read the
    rest anew, so that cuts should be rare.
    """

    texts = [*(m.content for m in opening), user, *(t for e in history for t in (e.user, e.reply))]
    if sum(len(t.encode()) + TOKENS_PER_MESSAGE for t in texts) <= budget:
        count = _bytes  # a token is at least a byte: it fits for sure, and counting would only take time

    def cost(text: str) -> int:
        return count(text) + TOKENS_PER_MESSAGE

    left = budget - sum(cost(m.content) for m in opening) - cost(user)
    sizes = [cost(e.user) + cost(e.reply) for e in history]
    kept = list(history)
    while kept and sum(sizes) > left:
        drop = (len(kept) + 1) // 2
        kept, sizes = kept[drop:], sizes[drop:]
    talk = [m for e in kept for m in (Message("user", e.user), Message("assistant", e.reply)) if m.content]
    return (*opening, *talk, Message("user", user))


def _bytes(text: str) -> int:
    return len(text.encode())
