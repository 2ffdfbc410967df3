"""A client for servers that speak the pipe of Barretenberg's `bb`: bbipc itself, and `bb msgpack run`.

    async with open_client(command=["bbipc", "msgpack", "run"]) as client:
        digest = (await client.call("Blake2s", data=b"abc"))["hash"]
        verdict = await client.verify(proof, key)

It works under Trio and under asyncio. `bbipc.client.blocking` has the same for programs and threads without an event loop. How
the values of commands and responses look in Python is said in `bbipc.wire.values`.
"""

from bbipc import late_names

TYPE_CHECKING = False  # as in bbipc.chonk: names are loaded when they are used, and with them an event loop
if TYPE_CHECKING:
    from bbipc.client.async_client import Client, open_client
    from bbipc.client.errors import ClientClosed, ClientError, ProtocolViolation, ServerError, ServerGone, ServerUnreachable
    from bbipc.client.probe import Dialect
    from bbipc.client.verification import RemoteTxVerdict, RemoteVerdict

__all__ = [
    "Client",
    "ClientClosed",
    "ClientError",
    "Dialect",
    "ProtocolViolation",
    "RemoteTxVerdict",
    "RemoteVerdict",
    "ServerError",
    "ServerGone",
    "ServerUnreachable",
    "open_client",
]

_MODULES = {
    "async_client": ("Client", "open_client"),
    "errors": ("ClientClosed", "ClientError", "ProtocolViolation", "ServerError", "ServerGone", "ServerUnreachable"),
    "probe": ("Dialect",),
    "verification": ("RemoteTxVerdict", "RemoteVerdict"),
}
__getattr__, __dir__ = late_names(__name__, globals(), _MODULES)
