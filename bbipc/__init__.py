"""bbipc: verification of Aztec Chonk proofs, in process or over the msgpack pipe of Barretenberg's `bb`.

The subpackages are `bbipc.chonk` (proofs, keys and verdicts), `bbipc.client`, `bbipc.server`, `bbipc.wire` and `bbipc.cli`.
Nothing of them is imported before it is used.
"""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version  # noqa: PLC0415 - costs milliseconds, and few ask for it

    return version("bbipc")
