"""Which keys, and which key trees, are those of the protocol (chapter 15 section 7).

The registry of Aztec is compiled in. Another one is a file that the operator names: nothing in a transaction or on the wire
chooses it.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from bbipc.aztec.errors import TxFormatError
from bbipc.aztec.forms import FORMS, Form
from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.key import VerificationKey
from bbipc.chonk.sizes import KEY_SIZE
from bbipc.chonk.words import FR_MODULUS, WORD

__all__ = ["RELEASE_4_KEY_SIZE", "KeyPath", "Network", "Registry", "Release", "aztec"]

RELEASE_4_KEY_SIZE: Final = 4064
"""Bytes of a hiding kernel's key in releases 4.x, which belong to another proof system."""


@dataclass(frozen=True, slots=True)
class KeyPath:
    """Where a key is in the tree of keys: the index of its leaf, and the siblings from the leaf upwards."""

    index: int
    siblings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """A release of the protocol, or several that are alike.

    Attributes:
        name: for example `5.0.0-5.2.0`.
        vk_tree_root: the root of its tree of keys.
        protocol_contracts_hash: the hash of its contracts.
        keys: the keys of the hiding kernels by the names of `Form`; empty if its proofs are of another proof system.
        verifiable: whether its proofs are of the proof system of bbipc.
        paths: where the keys are in the tree, if that is known.
    """

    name: str
    vk_tree_root: bytes
    protocol_contracts_hash: bytes
    keys: Mapping[str, VerificationKey]
    verifiable: bool
    paths: Mapping[str, KeyPath]

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only view of a mapping cannot be pickled; the mapping can.
        paths, keys = dict(self.paths), dict(self.keys)
        return _unpickled, (self.name, self.vk_tree_root, self.protocol_contracts_hash, keys, self.verifiable, paths)

    def covers(self, version: str) -> bool:
        """Whether `version` (of two or three numbers) is this release, or within its range."""
        wanted = _numbers(version)
        ends = [_numbers(end) for end in self.name.split("-")]
        if wanted is None or len(ends) > 2 or None in ends:
            return version == self.name
        low, high = ends[0], ends[-1]
        return low is not None and high is not None and low <= wanted <= high


def _unpickled(
    name: str, root: bytes, contracts: bytes, keys: dict[str, VerificationKey], verifiable: bool, paths: dict[str, KeyPath]
) -> Release:
    return Release(name, root, contracts, MappingProxyType(keys), verifiable, MappingProxyType(paths))


@dataclass(frozen=True, slots=True)
class Network:
    """A network, as its transactions name it."""

    name: str
    chain_id: int
    rollup_version: int


@dataclass(frozen=True, slots=True)
class Registry:
    """Releases and networks that an operator trusts.

    Attributes:
        releases: what transactions may be made for.
        networks: the networks that are known by name.
    """

    releases: tuple[Release, ...]
    networks: tuple[Network, ...]

    @classmethod
    def from_json(cls, path: str | Path) -> "Registry":
        """A registry from a JSON file; chapter 15 section 7 describes it. Keys are files beside it.

        A key whose file does not exist is left out: transactions that need it cannot be decided.

        Raises:
            OSError: a file cannot be read.
            TxFormatError: the file is not a registry.
        """
        folder = Path(path).parent

        def key_file(name: str) -> bytes | None:
            file = folder / name
            return file.read_bytes() if file.exists() else None

        return _registry(Path(path).read_bytes(), key_file)

    def release(self, vk_tree_root: bytes, protocol_contracts_hash: bytes) -> Release | None:
        """The release with both; None if there is none."""
        for release in self.releases:
            if (release.vk_tree_root, release.protocol_contracts_hash) == (vk_tree_root, protocol_contracts_hash):
                return release
        return None

    def network(self, name: str) -> Network:
        """The network of that name.

        Raises:
            ValueError: there is none.
        """
        for network in self.networks:
            if network.name == name:
                return network
        known = ", ".join(network.name for network in self.networks) or "none"
        raise ValueError(f"unknown network {name[:64]!r}; known: {known}")

    def network_of(self, chain_id: int, rollup_version: int) -> Network | None:
        """The network with both numbers; None if there is none."""
        for network in self.networks:
            if (network.chain_id, network.rollup_version) == (chain_id, rollup_version):
                return network
        return None

    def key_names(self) -> list[str]:
        """The names that `key` knows, for example `aztec:5.2.0/to_public`."""
        return [
            f"aztec:{release.name.split('-')[-1]}/{_short(form)}"
            for release in self.releases
            for form in FORMS
            if form.name in release.keys
        ]

    def key(self, name: str) -> VerificationKey:
        """The key of a name such as `aztec:5.2.0/to_public`: a release, and the hiding kernel `to_rollup` (transactions without
        public calls) or `to_public`.

        Raises:
            ValueError: there is no such key.
        """
        found = re.fullmatch(r"(?:aztec:)?([^/]+)/(?:hiding_kernel_)?(to_rollup|to_public)", name)
        if found is not None:
            for release in self.releases:
                for form in FORMS:
                    if release.covers(found[1]) and _short(form) == found[2] and form.name in release.keys:
                        return release.keys[form.name]
        raise ValueError(f"unknown key {name[:64]!r}; known: {', '.join(self.key_names()) or 'none'}")

    def name_of_key(self, key: bytes) -> str | None:
        """What a key is, for example `Aztec 5.0.0-5.2.0, hiding_kernel_to_public`; None if it is not in this registry."""
        for release in self.releases:
            for form in FORMS:
                known = release.keys.get(form.name)
                if known is not None and known.to_bytes() == key:
                    return f"Aztec {release.name}, {form.circuit}"
        if len(key) == RELEASE_4_KEY_SIZE:
            return "release 4.x, a hiding kernel of another proof system"
        return None


@cache
def aztec() -> Registry:
    """The registry of Aztec's releases."""
    folder = resources.files(__name__)
    return _registry(folder.joinpath("aztec.json").read_bytes(), lambda name: folder.joinpath(name).read_bytes())


def _short(form: Form) -> str:
    return form.circuit.removeprefix("hiding_kernel_")


def _numbers(version: str) -> tuple[int, ...] | None:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6}){1,2}", version):
        return None
    return tuple(map(int, version.split(".")))


# ---- The JSON -------------------------------------------------------------------------------------------------------


def _registry(text: bytes, key_file: Callable[[str], bytes | None]) -> Registry:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TxFormatError(f"registry: not a JSON document: {error}", "registry") from None
    parts = document if isinstance(document, dict) else {"releases": document}
    networks = parts.get("networks")
    return Registry(
        tuple(
            _release(item, f"releases[{index}]", key_file) for index, item in enumerate(_list(parts, "releases", "registry"))
        ),
        aztec().networks
        if networks is None
        else tuple(_network(item, f"networks[{index}]") for index, item in enumerate(_list(parts, "networks", "registry"))),
    )


def _release(item: object, where: str, key_file: Callable[[str], bytes | None]) -> Release:
    files = _get(item, "keys", where)
    if files is not None and not isinstance(files, dict):
        raise _error(f"{where}.keys", "expected an object of file names, or null for another proof system")
    names = {form.name for form in FORMS}
    if files is not None and (not files or set(files) - names):
        raise _error(f"{where}.keys", f"expected the members {' and '.join(sorted(names))}")
    paths = item.get("paths", {}) if isinstance(item, dict) else {}
    return Release(
        _text(item, "name", where),
        _word(item, "vk_tree_root", where),
        _word(item, "protocol_contracts_hash", where),
        MappingProxyType(_keys(files or {}, where, key_file)),
        files is not None,
        MappingProxyType({name: _path(paths, name, f"{where}.paths") for name in paths}),
    )


def _keys(files: dict[str, Any], where: str, key_file: Callable[[str], bytes | None]) -> dict[str, VerificationKey]:
    keys = {}
    for name in files:
        data = key_file(_text(files, name, f"{where}.keys"))
        if data is None:
            continue
        if len(data) != KEY_SIZE:
            raise _error(f"{where}.keys.{name}", f"{len(data)} bytes, a key has {KEY_SIZE}")
        keys[name] = VerificationKey(data)
        try:
            keys[name].hash  # noqa: B018 - decodes it
        except ChonkFormatError as error:
            raise _error(f"{where}.keys.{name}", str(error)) from None
    return keys


def _path(paths: object, name: str, where: str) -> KeyPath:
    path = _get(paths, name, where)
    siblings = _list(path, "siblings", f"{where}.{name}")
    words = {str(index): sibling for index, sibling in enumerate(siblings)}
    return KeyPath(_number(path, "index", f"{where}.{name}"), tuple(_word(words, index, f"{where}.{name}") for index in words))


def _network(item: object, where: str) -> Network:
    return Network(_text(item, "name", where), _number(item, "chain_id", where), _number(item, "rollup_version", where))


def _get(container: object, name: str, where: str) -> Any:
    if not isinstance(container, dict) or name not in container:
        raise _error(where, f"expected an object with the member {name!r}")
    return container[name]


def _list(container: object, name: str, where: str) -> list[Any]:
    value = _get(container, name, where)
    if not isinstance(value, list):
        raise _error(f"{where}.{name}", "expected a list")
    return value


def _text(container: object, name: str, where: str) -> str:
    value = _get(container, name, where)
    if not isinstance(value, str) or not value:
        raise _error(f"{where}.{name}", "expected a text")
    return value


def _number(container: object, name: str, where: str) -> int:
    value = _get(container, name, where)
    if type(value) is not int or not 0 <= value < FR_MODULUS:
        raise _error(f"{where}.{name}", "expected a number that is not negative")
    return value


def _word(container: object, name: str, where: str) -> bytes:
    value = _text(container, name, where)
    if not re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value) or int(value, 16) >= FR_MODULUS:
        raise _error(f"{where}.{name}", "expected a field element as 0x and up to 64 hex digits")
    return int(value, 16).to_bytes(WORD, "big")


def _error(where: str, problem: str) -> TxFormatError:
    return TxFormatError(f"{where}: {problem}", where)
