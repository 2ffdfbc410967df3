"""bbipc: verification of Aztec Chonk proofs, in process or over the msgpack pipe of Barretenberg's `bb`.

    import bbipc

    verdict = bbipc.verify("proof", "vk")
    print(verdict)  # valid | invalid: ... | error: ...

The subpackages are `bbipc.chonk` (proofs, keys and verdicts), `bbipc.aztec` (transactions), `bbipc.client`, `bbipc.server`,
`bbipc.wire` and `bbipc.cli`. Nothing of them is imported before it is used.
"""

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would cost more than all of the rest
if TYPE_CHECKING:
    from collections.abc import Callable

    from bbipc.chonk.simple import verify

    __version__: str

__all__ = ["__version__", "verify"]


def late_names(
    package: str, names: "dict[str, object]", modules: "dict[str, tuple[str, ...]]"
) -> "tuple[Callable[[str], object], Callable[[], list[str]]]":
    """`__getattr__` and `__dir__` of a package whose names are loaded when they are first used.

    Args:
        package: its name.
        names: its `globals()`.
        modules: module of the package -> the public names that it has.
    """
    module_of = {name: module for module, found in modules.items() for name in found}

    def load(name: str) -> object:
        module = module_of.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - part of what is loaded late

        value: object = getattr(import_module(f"{package}.{module}"), name)
        names[name] = value
        return value

    return load, lambda: sorted({*names, *module_of})


def __getattr__(name: str) -> object:
    if name == "verify":
        from bbipc.chonk.simple import verify  # noqa: PLC0415 - loads the core

        return verify
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version  # noqa: PLC0415 - costs milliseconds, and few ask for it

    return version("bbipc")
