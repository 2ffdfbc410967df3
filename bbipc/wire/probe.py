"""The frame by which clients of bbipc find out whom they talk to (:mod:`bbipc.client.probe` says why it is so).

It is refused as any other frame with bytes behind the request. But it is sent on purpose, once for each connection, and so it
is not the sign of a client that does not speak the protocol: servers do not count it as malformed.
"""

from typing import Final

__all__ = ["PROBE"]

PROBE: Final = b"\x91\x92\xa7Blake2s\x81\xa4data\xc4\x00\xc0"
"""The payload: a plain ``Blake2s`` of nothing, and one byte (nil) behind it."""
