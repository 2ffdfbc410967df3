"""Is a connection one of the envelope dialect? The first frame tells.

An envelope begins with an id of any eight bytes, so that one cannot know from the outermost value alone, as with plain and
tagged requests. But what follows the id is a plain request, and what a request asks for is one of few names:

1. A frame that begins as a plain or tagged request for a command of the schema, its id a number, is one.
2. Else, if what follows its first eight bytes begins as a plain request for a command of the schema, it is an envelope.
3. Else it is malformed, or asks for something unknown, and is taken for plain or tagged.

No envelope is taken for something else: its ninth byte is 0x91, and its tenth begins an array. For rule 1 to hold, the eight
bytes before would have to contain the beginning of a request up to its name. The name would have to contain the ninth byte,
which is not ASCII as all names of the schema are, or to end before it, where a map would have to follow, which 0x91 does not
begin. Only a name of fewer than five characters could end earlier, and there is none. Nor can the id of a tagged request
contain the ninth byte: a number that does has nine bytes, and then the envelope's own name would have to begin an array.
`tests/wire/test_envelope.py` has this as a property.
"""

from __future__ import annotations

from collections.abc import Container
from functools import cache
from typing import Final

from bbipc.wire import cursor
from bbipc.wire.errors import DecodeError
from bbipc.wire.schema import extended

ID_BYTES: Final = 8
MIN_NAME: Final = 5
"""Characters of the shortest name of a command for which the above holds."""


def is_envelope(payload: bytes) -> bool:
    """Whether the first frame of a connection, without its length, is in the envelope dialect. Constant time; never raises."""
    head = payload[:_HEAD]
    return not _begins_request(head, 0, tagged=True) and _begins_request(head, ID_BYTES, tagged=False)


_HEAD: Final = 128
"""Bytes that are looked at: more than an id, headers in their longest forms, and a name."""


@cache
def _names() -> Container[bytes]:
    return frozenset(name.encode() for name in extended().command_names)


def _begins_request(head: bytes, position: int, *, tagged: bool) -> bool:
    try:
        count, position = cursor.array_header(head, position)
        if tagged and count == 2:
            if cursor.kind_at(head, position) not in ("int", "float"):
                return False  # a text or the like could swallow the ninth byte
            position = cursor.skip(head, position, cursor.Allowance(1))
        elif count != 1:
            return False
        count, position = cursor.array_header(head, position)
        if count != 2:
            return False
        name, position = cursor.text(head, position)
        return name in _names() and cursor.kind_at(head, position) == "map"
    except DecodeError:
        return False
