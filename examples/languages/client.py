"""python client.py LIBRARY"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

LIBRARIES = {
    "msgpack": ("packb", "unpackb"),
    "ormsgpack": ("packb", "unpackb"),
    "msgspec": ("msgpack.encode", "msgpack.decode"),
    "umsgpack": ("packb", "unpackb"),
}


def function(library: str, name: str) -> Callable[[Any], Any]:
    """A function of a library, whose name may have dots."""
    value: Any = import_module(library)
    for part in name.split("."):
        value = getattr(value, part)
    found: Callable[[Any], Any] = value
    return found


encode, decode = (function(sys.argv[1], name) for name in LIBRARIES[sys.argv[1]])


def call(request: object) -> Any:
    """The response to a request."""
    payload = encode(request)
    sys.stdout.buffer.write(len(payload).to_bytes(4, "little") + payload)
    sys.stdout.buffer.flush()
    return decode(sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(4), "little")))


def report(label: str, work: Callable[[], Any]) -> None:
    """Tell how a request went."""
    try:
        name, fields = work()
        result = fields["message"] if name == "ErrorResponse" else fields["hash"].hex()[:8]
    except Exception as error:
        result = repr(error)
    print(f"{label}: {result}", file=sys.stderr)


def tagged(request_id: int, command: object) -> Any:
    """The response to a tagged request."""
    echo, response = call([request_id, command])
    return response if echo == request_id else ["ErrorResponse", {"message": f"the id is {echo}"}]


data, word = b"abc", bytes([1]) * 32
report("plain", lambda: call([["Blake2s", {"data": data}]]))
report("list", lambda: call([["Poseidon2Hash", {"inputs": [word, word]}]]))
report("tagged", lambda: tagged(7, ["Blake2s", {"data": data}]))
report("large id", lambda: tagged(2**40, ["Blake2s", {"data": data}]))
report("integer", lambda: tagged(8, ["Blake2s", {"data": data, "deadline_ms": 60000}]))
