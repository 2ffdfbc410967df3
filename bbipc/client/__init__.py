"""A client for servers that speak the pipe of Barretenberg's `bb`: bbipc itself, and `bb msgpack run`.

    async with open_client(command=["bbipc", "msgpack", "run"]) as client:
        digest = (await client.call("Blake2s", data=b"abc"))["hash"]
        verdict = await client.verify(proof, key)

This package is for Trio. `bbipc.client.blocking` has the same for programs without an event loop. How the values of commands
and responses look in Python is said in `bbipc.wire.values`.
"""

from bbipc.client.errors import ClientClosed, ClientError, ProtocolViolation, ServerError, ServerGone, ServerUnreachable
from bbipc.client.probe import Dialect
from bbipc.client.trio_client import Client, open_client
from bbipc.client.verification import RemoteVerdict

__all__ = [
    "Client",
    "ClientClosed",
    "ClientError",
    "Dialect",
    "ProtocolViolation",
    "RemoteVerdict",
    "ServerError",
    "ServerGone",
    "ServerUnreachable",
    "open_client",
]
