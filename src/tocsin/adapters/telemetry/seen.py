"""Which messages of a conversation were told already: every call of a model repeats the conversation so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from tocsin.adapters.telemetry.conversations import Message

REMEMBERED_MAX = 500_000
"""Messages that are remembered, about 60 MB; the oldest are forgotten, and may then be told again."""


class Seen:
    """The messages of a file, by conversation, role, text, and how often the same was said before in the conversation."""

    def __init__(self) -> None:
        self._keys: dict[bytes, None] = {}

    def new_inputs(
        self, session: str, inputs: Sequence[Message], said: Counter[Message], *, repeats: bool
    ) -> Iterator[Message]:
        """The inputs that are no repetition, in order; `said` counts what this call has said so far.

        What a user says after the model's last answer is new, unless the span only `repeats` what its children tell.
        """
        last_answer = max((i for i, message in enumerate(inputs) if message.role == "assistant"), default=-1)
        for index, message in enumerate(inputs):
            said[message] += 1
            known = self._known(session, message, said[message])
            if not known or (message.role == "user" and index > last_answer and not repeats):
                yield message

    def new_outputs(
        self, session: str, outputs: Sequence[Message], said: Counter[Message], *, repeats: bool
    ) -> Iterator[Message]:
        """The outputs: all of them, unless the span only repeats what its children tell."""
        for message in outputs:
            said[message] += 1
            if not self._known(session, message, said[message]) or not repeats:
                yield message

    def _known(self, session: str, message: Message, nth: int) -> bool:
        """Whether this was told before; from now on it was."""
        parts = (
            session,
            message.role,
            message.text or "",
            message.tool_name or "",
            message.tool_arguments or "",
            str(nth),
        )
        key = blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).digest()
        known = key in self._keys
        self._keys[key] = None
        if len(self._keys) > REMEMBERED_MAX:
            del self._keys[next(iter(self._keys))]
        return known
