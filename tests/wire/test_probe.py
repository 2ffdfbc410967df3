"""The probe of our own clients is refused, but it is not counted."""

import pytest

from bbipc.wire.dialect import Malformed, encode_request, parse_briefly, parse_request
from bbipc.wire.frame import HEADER_BYTES
from bbipc.wire.probe import PROBE
from bbipc.wire.schema import extended

DECODERS = {name.encode(): (name, extended().command(name)) for name in ("Blake2s",)}


@pytest.mark.parametrize("parse", [parse_briefly, parse_request])
def test_the_probe_is_refused_and_recognised(parse: object) -> None:
    assert callable(parse)
    assert encode_request("Blake2s", {"data": b""})[HEADER_BYTES:] + b"\xc0" == PROBE
    assert parse(PROBE, DECODERS) == Malformed(
        None, "1 bytes after the request, expected exactly one msgpack object in a frame", True
    )
    for other in (PROBE + b"\xc0", PROBE[:-1] + b"\x00", b"\x92\x01" + PROBE[1:]):
        parsed = parse(other, DECODERS)
        assert isinstance(parsed, Malformed)
        assert not parsed.probe
