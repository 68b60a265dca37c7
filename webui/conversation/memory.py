"""What a conversation remembers: its messages in order, each under an id, and as many as the model's context holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from webui.engines.protocols import Message

# What a chat template adds around a message (role marks and line ends), generously.
TOKENS_PER_MESSAGE = 8
# Of one conversation. No model's context holds more; the oldest half makes room.
MAX_MESSAGES = 400


class Memory:
    """The messages of one conversation. Turns and the socket change it from their own threads.

    Each stands there as it was said, and as the model was ``told`` it or wrote it: with the note on the voice, with the
    tone. So the next prompt begins exactly as the last one did, and what the model has read it need not read again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[Message, str]] = {}  # in order; the second is what the model is told

    @property
    def messages(self) -> tuple[Message, ...]:
        """Everything that is remembered now, in order, as it was said."""
        with self._lock:
            return tuple(message for message, _ in self._entries.values())

    def told(self, but: str = "") -> tuple[Message, ...]:
        """Everything as the model is told it, without the message of the id ``but``."""
        with self._lock:
            return tuple(replace(m, content=told) for name, (m, told) in self._entries.items() if name != but)

    @property
    def last_id(self) -> str | None:
        """The id of the newest message, None where there is none."""
        with self._lock:
            return next(reversed(self._entries), None)

    def get(self, item_id: str) -> Message | None:
        """The message of that id."""
        with self._lock:
            return self._entries.get(item_id, (None, ""))[0]

    def add(self, item_id: str, message: Message, *, told: str = "", after: str | None = None) -> None:
        """Remember ``message``, last of all or right ``after`` another. One of the same id is replaced."""
        with self._lock:
            entry = (message, told or message.content)
            if item_id in self._entries:
                self._entries[item_id] = entry
                return
            entries = list(self._entries.items())
            at = next((i + 1 for i, (name, _) in enumerate(entries) if name == after), len(entries))
            entries.insert(at, (item_id, entry))
            self._entries = dict(entries[len(entries) // 2 :] if len(entries) > MAX_MESSAGES else entries)

    def amend(self, item_id: str, content: str, told: str = "") -> None:
        """Give the message of that id other words; nothing happens where it is forgotten already."""
        with self._lock:
            if item_id in self._entries:
                self._entries[item_id] = (replace(self._entries[item_id][0], content=content), told or content)

    def forget(self, item_id: str) -> bool:
        """Forget one message; False where there is none of that id."""
        with self._lock:
            return self._entries.pop(item_id, None) is not None


def fitting(
    opening: tuple[Message, ...], talk: Sequence[Message], budget: int, count: Callable[[str], int]
) -> tuple[Message, ...]:
    """The chat to be continued: ``opening`` and ``talk``, of which the oldest is dropped until all takes at most
    ``budget`` tokens. The last message always stays.

    Messages are dropped by half at a time rather than one by one: each cut makes the model read the rest anew, so that
    cuts should be rare. What is left begins with what the person said, and holds no empty message.
    """
    kept = _whole(talk)
    texts = [m.content for m in (*opening, *kept)]
    if sum(len(text.encode()) + TOKENS_PER_MESSAGE for text in texts) <= budget:
        return (*opening, *kept)  # a token is at least a byte: it fits for sure, and counting would only take time

    def cost(message: Message) -> int:
        return count(message.content) + sum(count(c.arguments) for c in message.tool_calls) + TOKENS_PER_MESSAGE

    left = budget - sum(map(cost, opening))
    sizes = [cost(message) for message in kept]
    while len(kept) > 1 and sum(sizes) > left:
        drop = len(kept) // 2
        while drop < len(kept) - 1 and kept[drop].role != "user":
            drop += 1
        kept, sizes = kept[drop:], sizes[drop:]
    return (*opening, *_whole(kept))


def _whole(talk: Sequence[Message]) -> list[Message]:
    """``talk`` without what servers refuse: empty messages, calls without a result, results without a call.

    The calls of one answer stand in one message, as they were made.
    """
    asked = {call.id for message in talk for call in message.tool_calls}
    answered = {message.tool_call_id for message in talk if message.role == "tool"} & asked
    kept: list[Message] = []
    for message in talk:
        calls = tuple(call for call in message.tool_calls if call.id in answered)
        if message.role == "tool" and message.tool_call_id not in asked:
            continue
        if calls and kept and kept[-1].role == "assistant":
            kept[-1] = replace(kept[-1], tool_calls=(*kept[-1].tool_calls, *calls))
        elif message.content or calls or message.role == "tool":
            kept.append(replace(message, tool_calls=calls))
    return kept
