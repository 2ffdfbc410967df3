"""bbipc: verification of Aztec Chonk proofs, in process or over the msgpack pipe of Barretenberg's `bb`.

    import bbipc

    verdict = bbipc.verify("proof", "vk")
    print(verdict)  # valid | invalid: ... | error: ...

The subpackages are `bbipc.chonk` (proofs, keys and verdicts), `bbipc.aztec` (transactions), `bbipc.client`, `bbipc.server`,
`bbipc.wire` and `bbipc.cli`. Nothing of them is imported before it is used.
"""

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would cost more than all of the rest
if TYPE_CHECKING:
    from bbipc.chonk.simple import verify

    __version__: str

__all__ = ["__version__", "verify"]


def __getattr__(name: str) -> object:
    if name == "verify":
        from bbipc.chonk.simple import verify  # noqa: PLC0415 - loads the core

        return verify
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version  # noqa: PLC0415 - costs milliseconds, and few ask for it

    return version("bbipc")
