"""What the keys of Aztec's registry are called, without the registry: to read it takes as long as to load a command.

`tests/aztec/test_key_names.py` compares the table with the registry, and prints what it should be.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["KEY_NAMES"]

KEY_NAMES: Final[Mapping[bytes, str]] = MappingProxyType(
    {
        bytes.fromhex(
            "14cb1de648f360fa2a0257d1c6cc59c9ac0d4dc70942422bbe85696b71b7765c"
        ): "Aztec 5.0.0-5.2.0, hiding_kernel_to_rollup",
        bytes.fromhex(
            "05200b2ca6ae476d5166f0c80c41e0bd4420b65e24e2c2f7b9aa48dba8e509e3"
        ): "Aztec 5.0.0-5.2.0, hiding_kernel_to_public",
    }
)
"""The Poseidon2 hash of a key (chapter 03), 32 bytes -> its name, as `Registry.name_of_key` tells it."""
