"""Which dialect a server speaks, found out without harm.

`bb` 5.0.0 ends its process when it sees a tagged request on its pipe, or any command it does not know, and over a socket it
never answers the former. So a client must not simply try. But `bb` ignores bytes behind the msgpack object of a request, and
bbipc refuses them (both answer, and both live on). The probe is therefore:

1. a plain `Blake2s` followed by one more byte. The digest: the server is lenient, take it for a `bb`, be plain.
2. An error: the server answers whatever it is sent. Only then a tagged `Blake2s`; the server is a tagged one if its response
   carries the id.
"""

from enum import Enum
from typing import Final

from bbipc.client.errors import ProtocolViolation
from bbipc.client.messages import ERROR_RESPONSE, parse_answer, request_frame
from bbipc.wire.errors import DecodeError
from bbipc.wire.frame import encode_frame
from bbipc.wire.probe import PROBE

__all__ = ["PATIENCE", "Dialect", "Probe"]

PATIENCE: Final = 30.0
"""Seconds in which a server must answer the probe (a loaded machine starts `bb` slowly)."""

_PROBE_ID: Final = 2**64 - 1


class Dialect(Enum):
    """How requests and responses find each other (`bbipc.wire.dialect`)."""

    PLAIN = "plain"
    TAGGED = "tagged"
    ENVELOPE = "envelope"


class Probe:
    """The exchange described above, without I/O: send what `first` returns, then feed it each response."""

    def __init__(self) -> None:
        self._second_sent = False

    def first(self) -> bytes:
        """The frame to begin with."""
        return encode_frame(PROBE)

    def feed(self, payload: bytes) -> bytes | Dialect:
        """The next frame to be sent, or the result.

        Raises:
            ProtocolViolation: the server's response is none.
        """
        try:
            answer = parse_answer(payload)
        except DecodeError as error:
            raise ProtocolViolation(
                f"the first response of the server is not a response: {error}. (If it speaks the envelope dialect, say so: "
                "that cannot be found out.)"
            ) from None
        if self._second_sent:
            return Dialect.TAGGED if answer.request_id == _PROBE_ID else Dialect.PLAIN
        if answer.name != ERROR_RESPONSE:
            return Dialect.PLAIN
        self._second_sent = True
        return request_frame("Blake2s", {"data": b""}, _PROBE_ID)
