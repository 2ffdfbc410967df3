"""Transactions of the network, and synthetic ones that the official JavaScript classes agreed to."""

import json
import re
from pathlib import Path

import pytest

from bbipc.aztec import ProofForm, Registry, Tx, TxFormatError
from bbipc.aztec.forms import FORMS, PUBLIC, ROLLUP, Form
from bbipc.aztec.hashes import merkle_root
from bbipc.aztec.registry import aztec
from samples import DATA

AZTEC = DATA / "aztec"
BINARY = sorted(AZTEC.glob("*/*.tx.bin"))
WITH_JSON = [file for file in BINARY if file.with_suffix(".json").exists()]
NETWORK_HASH = "1533315086638c2c474dde463c6a6a5ad684f6bd26869c2af9a77519ad4a07e0"


@pytest.mark.parametrize("file", BINARY, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_bytes_are_read_and_written(file: Path) -> None:
    data = file.read_bytes()
    tx = Tx.from_bytes(data, strict=True)
    assert tx.to_bytes() == data
    assert Tx.from_json(tx.to_json()) == tx
    assert Tx.of(tx.data, tx_hash=tx.tx_hash).data_bytes == tx.data_bytes


@pytest.mark.parametrize("file", WITH_JSON, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_json_agrees_with_bytes(file: Path) -> None:
    text = file.with_suffix(".json").read_text()
    tx = Tx.from_json(text, strict=True)
    assert tx == Tx.from_bytes(file.read_bytes())
    assert json.loads(tx.to_json()) == json.loads(text)
    assert Tx.from_json(json.dumps({"jsonrpc": "2.0", "id": 1, "result": json.loads(text)})) == tx


@pytest.mark.parametrize("name", ["py-4x/private", "py-5x/private", "py-5x/public"])
def test_public_inputs_and_hash(name: str) -> None:
    expected = json.loads((AZTEC / f"{name}.expect.json").read_text())
    file = next(file for file in BINARY if str(file).startswith(str(AZTEC / name)))
    tx = Tx.from_bytes(file.read_bytes())
    assert tx.form.flag == expected["flag"]
    assert len(tx.public_inputs()) == 32 * expected["n_public_inputs"]
    assert tx.public_inputs() == (AZTEC / f"{name}.fields.bin").read_bytes()
    assert tx.hash() == tx.tx_hash == bytes.fromhex(expected["tx_hash"][2:])


def test_the_hash_of_a_transaction_of_the_testnet_is_the_networks() -> None:
    tx = Tx.from_bytes((AZTEC / "testnet-5.2.0" / "private-block60620.noproof.tx.bin").read_bytes())
    assert tx.hash().hex() == NETWORK_HASH
    context = tx.data.constants.tx_context
    assert int.from_bytes(context.chain_id, "big") == aztec().network("testnet").chain_id
    assert int.from_bytes(context.version, "big") == aztec().network("testnet").rollup_version
    assert aztec().release(tx.data.constants.vk_tree_root, tx.data.constants.protocol_contracts_hash) is not None


def test_forms_of_proofs() -> None:
    forms = {file.name: Tx.from_bytes(file.read_bytes()).proof.form for file in BINARY}
    assert forms["private.noproof.tx.bin"] is ProofForm.NONE
    assert forms["public.uncompressed.tx.bin"] is ProofForm.PLAIN
    assert forms["public.compressed.tx.bin"] is ProofForm.COMPRESSED
    assert forms["private.tx.bin"] is ProofForm.RELEASE_4


def test_calldata_of_public_calls() -> None:
    tx = Tx.from_bytes((AZTEC / "py-5x" / "public.noproof.tx.bin").read_bytes())
    assert [len(calldata.values) // 32 for calldata in tx.public_calldata] == [5]
    assert tx.calldata_hashes() == [calldata.hash for calldata in tx.public_calldata]
    assert Tx.from_bytes((AZTEC / "py-5x" / "private.noproof.tx.bin").read_bytes()).calls() == []


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_layout_is_the_circuits_own(form: Form) -> None:
    """The names, the kinds and the number of leaves against the ABI of the published circuits."""
    file = AZTEC / f"layout-{form.name}-5.2.0.txt"
    counts = re.findall(r"return: struct (\w+) \[(\d+)\]", file.read_text())
    assert counts == [(form.record.__name__, str(len(form.places)))]
    kinds = {"u32": "integer32", "u64": "integer64", "u128": "integer128", "bool": "boolean"}
    ours = [(re.sub(r"\[\d+\]", "", place.path), kinds.get(place.leaf.name, "field")) for place in form.places]
    assert ours == list(_abi_leaves(file.read_text().splitlines()))


def _abi_leaves(lines: list[str]) -> list[tuple[str, str]]:
    """The leaves of a printed ABI, arrays written out."""
    tree: list[tuple[int, str, str, int]] = []
    for line in lines[1:]:
        found = re.fullmatch(r"( +)(\w+): (?:array\[(\d+)\] of |struct )?(\w+) \[\d+\]", line)
        if found is not None:
            tree.append((len(found[1]) // 2, found[2], found[4], int(found[3] or 1)))
    leaves, position = _expand(tree, 0, 1, "")
    assert position == len(tree)
    return leaves


def _expand(tree: list[tuple[int, str, str, int]], position: int, depth: int, path: str) -> tuple[list[tuple[str, str]], int]:
    leaves: list[tuple[str, str]] = []
    while position < len(tree) and tree[position][0] == depth:
        _, name, kind, count = tree[position]
        inside = f"{path}.{name}" if path else name
        below, position = _expand(tree, position + 1, depth + 1, inside)
        if [leaf.rpartition(".")[2] for leaf, _ in below] == ["inner"]:
            below = [(inside, kind) for _, kind in below]  # an address of one member
        # Slots are fields in the circuits, and 32 bits in a transaction.
        kind = "integer32" if name in ("next_available_leaf_index", "slot_number") else kind
        leaves += (below or [(inside, kind)]) * count
    return leaves, position


def test_the_root_of_the_registry_follows_from_its_keys() -> None:
    releases = [release for release in aztec().releases if release.verifiable]
    assert releases
    for release in releases:
        assert set(release.keys) == set(release.paths) == {ROLLUP.name, PUBLIC.name}
        for form in FORMS:
            key, path = release.keys[form.name], release.paths[form.name]
            assert (key.log_circuit_size, key.pub_inputs_offset) == (16, 667)
            assert key.num_public_inputs == len(form.places) + 28
            assert merkle_root(key.hash, path.index, path.siblings) == release.vk_tree_root
    root, public = releases[0].paths[ROLLUP.name].siblings, releases[0].paths[PUBLIC.name].siblings
    assert (root[0], public[0]) == (releases[0].keys["public"].hash, releases[0].keys["rollup"].hash)


def test_keys_by_name() -> None:
    registry = aztec()
    for name in ("aztec:5.2.0/to_public", "aztec:5.0.0/to_public", "aztec:5.1/to_public", "aztec:5.0.0-5.2.0/to_public"):
        key = registry.key(name)
        assert registry.name_of_key(key.to_bytes()) == "Aztec 5.0.0-5.2.0, hiding_kernel_to_public"
    assert registry.key_names() == ["aztec:5.2.0/to_rollup", "aztec:5.2.0/to_public"]
    for name in ("aztec:5.3.0/to_public", "aztec:4.1.2/to_public", "aztec:5.2.0/to_nothing", "5.2.0", ""):
        with pytest.raises(ValueError, match="unknown key"):
            registry.key(name)
    old = (AZTEC / "py-4x" / "hiding_kernel_to_rollup-4.1.2.vk").read_bytes()
    assert "release 4.x" in str(registry.name_of_key(old))
    assert registry.name_of_key((DATA / "flow1" / "vk").read_bytes()) is None


def test_a_registry_from_a_file(tmp_path: Path) -> None:
    registry = Registry.from_json(AZTEC / "e2e-test-setup" / "registry-test.json")
    (release,) = registry.releases
    assert set(release.keys) == {"rollup"}  # the file of the other key is not there
    assert registry.networks == aztec().networks
    document = json.loads((AZTEC / "e2e-test-setup" / "registry-test.json").read_text())
    file = tmp_path / "registry.json"
    for broken in (
        "",
        "[",
        "{}",
        "[1]",
        '{"releases": 1}',
        json.dumps([document[0] | {"vk_tree_root": "0x" + "f" * 64}]),
        json.dumps([document[0] | {"keys": {"other": "x"}}]),
        json.dumps([document[0] | {"keys": {"rollup": "registry.json"}}]),
        json.dumps({"releases": document, "networks": [{"name": "x", "chain_id": -1, "rollup_version": 1}]}),
    ):
        file.write_text(broken)
        with pytest.raises(TxFormatError):
            Registry.from_json(file)
