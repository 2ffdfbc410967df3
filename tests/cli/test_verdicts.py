"""What commands make of verdicts: exit status, lines, JSON, JUnit, journals. In this process: a proof takes milliseconds."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest

import bbipc.cluster
from aztec.transactions import E2E, registry_of_tests
from bbipc.__main__ import run
from bbipc.archive.cut import cut
from bbipc.archive.unit import Done, Unit, decide
from bbipc.aztec import Check, TxVerdict
from bbipc.chonk import ChonkProof, Outcome, Setup, Verdict, VerificationKey
from bbipc.cli import archive, inputs, keys, verify_many, verify_tx
from bbipc.cli.many import Item, Result, with_opinions
from bbipc.client import RemoteVerdict, ServerGone
from cli.running import SETUP
from samples import FLOW1, FLOW4, FLOW8, copy_parts, flow1_parts, raw_proof, word

Bbipc = Callable[..., tuple[int, str, str]]

HASH = VerificationKey(FLOW1.vk).hash


@pytest.fixture
def bbipc_(capsys: pytest.CaptureFixture[str]) -> Bbipc:
    """Runs `bbipc`: its exit status, and what it wrote."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def _invalid() -> bytes:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"][20:22] = reversed(parts["merge_proof"][20:22])
    return raw_proof(parts).to_fields()


def _undecodable() -> bytes:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"][0] = word(int.from_bytes(parts["merge_proof"][0], "big") ^ 1)
    return raw_proof(parts).to_fields()


def _otherwise_split() -> bytes:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"].append(parts["eccvm_proof"].pop(0))
    return raw_proof(parts).to_msgpack()


CONTENT = {
    "valid": FLOW1.fields,
    "invalid": _invalid(),
    "error": _undecodable(),
    "junk": b"nothing",
    "split": _otherwise_split(),
}
OF_SETUP = ("--setup", SETUP)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Each content as `NAME/proof`, with its key beside it."""
    for name, content in CONTENT.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "proof").write_bytes(content)
        (tmp_path / name / "vk").write_bytes(FLOW1.vk)
    return tmp_path


# ---- verify ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code", "outcome"),
    [("valid", 0, "valid"), ("invalid", 1, "invalid"), ("error", 2, "error"), ("junk", 2, "error"), ("nowhere", 2, "error")],
)
def test_status_line_and_json_of_verify_say_the_same(bbipc_: Bbipc, folder: Path, name: str, code: int, outcome: str) -> None:
    pair = (folder / name / "proof", FLOW1.folder / "vk")
    status, out, err = bbipc_("verify", *OF_SETUP, *pair)
    assert status == code
    assert "NOT Aztec's" in out or outcome == "error"
    assert "not Aztec's: whoever knows its secret can forge proofs" in err
    assert out.startswith(outcome) if outcome != "error" else (out == "" and "bbipc: error: " in err)
    status, out, _ = bbipc_("verify", *OF_SETUP, "--json", *pair)
    document = json.loads(out)
    assert (status, document["outcome"], document["valid"]) == (code, outcome, outcome == "valid")
    assert document["setup"] == "custom"
    if name in ("valid", "invalid"):  # only a key that is in the registry has a name there
        assert document["key"]["name"] is None
        assert f"key 0x{HASH.hex()} (not in the registry)" in bbipc_("verify", *OF_SETUP, *pair)[1]


def test_without_the_setup_of_tests_none_of_them_is_valid(bbipc_: Bbipc, folder: Path) -> None:
    status, out, err = bbipc_("verify", folder / "valid" / "proof", folder / "valid" / "vk")
    assert (status, out[:7], err) == (1, "invalid", "")
    assert "setup Aztec\n" in out
    assert bbipc_("verify-many", folder / "valid")[0] == 1
    assert bbipc_("verify-many", folder / "valid", "--resume", folder / "journal")[0] == 1


@pytest.mark.parametrize("content", [None, b"{}", b"not JSON"])
def test_no_other_setup_takes_the_place_of_one_that_cannot_be_read(
    bbipc_: Bbipc, tmp_path: Path, content: bytes | None
) -> None:
    """Aztec's, for instance, under which this proof is invalid, not undecided."""
    if content is not None:
        (tmp_path / "setup").write_bytes(content)
    for command in (["verify", FLOW1.folder / "proof_fields.bin", FLOW1.folder / "vk"], ["verify-many", FLOW1.folder]):
        assert bbipc_(*command, "--setup", tmp_path / "setup")[0] == 2


def test_strict_in_every_command(bbipc_: Bbipc, folder: Path) -> None:
    """Chapter 00 section 6."""
    proof = folder / "split" / "proof"
    for command in (
        ["verify", proof, folder / "split" / "vk"],
        ["verify-many", proof],
        ["verify-many", proof, "--resume", folder / "journal"],
    ):
        assert bbipc_(*command, *OF_SETUP)[0] == 0
        (folder / "journal").unlink(missing_ok=True)
        assert bbipc_(*command, *OF_SETUP, "--strict")[0] == 2
        (folder / "journal").unlink(missing_ok=True)


def test_one_key_and_the_one_that_was_named(bbipc_: Bbipc, folder: Path) -> None:
    proof, key = folder / "valid" / "proof", folder / "valid" / "vk"
    other = FLOW4.folder / "vk"
    assert bbipc_("verify", *OF_SETUP, proof, "--vk", key)[0] == 0
    assert bbipc_("verify", *OF_SETUP, proof, "--vk", other)[0] == 2  # another number of public inputs
    assert bbipc_("verify", *OF_SETUP, proof, key, "--vk", key)[0] == 2
    assert bbipc_("verify", *OF_SETUP, proof)[0] == 2
    for name in ("to_public", "to_rollup"):
        status, out, _ = bbipc_("verify", proof, f"aztec:5.2.0/{name}", "--json")
        assert (status, json.loads(out)["outcome"]) == (2, "error")
        _, _, error = bbipc_("verify", proof, f"aztec:5.2.0/{name}")
        assert "wrong" in error or "public inputs of this key" in error


PIN = "0x" + HASH.hex()
LAST_BIT = "0x" + HASH[:-1].hex() + f"{HASH[-1] ^ 1:02x}"
FIRST_BIT = "0x" + f"{HASH[0] ^ 1:02x}" + HASH[1:].hex()


@pytest.mark.parametrize(
    ("pins", "code"),
    [
        ([PIN], 0),
        ([LAST_BIT, PIN], 0),
        ([PIN, LAST_BIT], 0),
        ([LAST_BIT], 2),
        ([FIRST_BIT], 2),
        ([LAST_BIT, FIRST_BIT], 2),
        (["0x"], 2),
        ([PIN[:-2]], 2),
        ([PIN + "00"], 2),
        ([PIN, "0x12"], 2),
        (["0x12"], 2),
        ([""], 2),
    ],
)
def test_pins_in_every_command(bbipc_: Bbipc, folder: Path, pins: list[str], code: int) -> None:
    proof, key = folder / "valid" / "proof", folder / "valid" / "vk"
    options = [text for pin in pins for text in ("--vk-hash", pin)]
    for number, command in enumerate(
        (
            ["verify", proof, key],
            ["verify-many", proof],
            ["verify-many", proof, "--vk", key],
            ["verify-many", proof, "--resume", folder / "journal"],
        )
    ):
        assert bbipc_(*command, *OF_SETUP, *options)[0] == code, number


def test_a_key_with_a_commitment_on_no_curve_is_refused_before_anything_else(bbipc_: Bbipc, folder: Path) -> None:
    key = bytearray(FLOW1.vk)
    key[-1] ^= 1
    (folder / "valid" / "vk").write_bytes(key)
    for command in (
        ["verify", folder / "valid" / "proof", folder / "valid" / "vk", "--json"],
        ["verify-many", folder / "valid", "--json"],
        ["verify-many", folder / "valid", "--json", "--resume", folder / "journal"],
    ):
        status, out, _ = bbipc_(*command, *OF_SETUP)
        report = json.loads(out)
        one = report["proofs"][0] if "proofs" in report else report
        assert (status, one["outcome"], one["key"]) == (2, "error", None)


def test_a_long_input_is_not_cut(bbipc_: Bbipc, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_INPUT", len(FLOW1.fields))
    pair = (folder / "valid" / "proof", folder / "valid" / "vk")
    assert bbipc_("verify", *OF_SETUP, *pair)[0] == 0
    pair[0].write_bytes(FLOW1.fields + bytes(1))
    assert bbipc_("verify", *OF_SETUP, *pair)[0] == 2


# ---- verify-many ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["valid"], 0),
        (["valid", "invalid"], 1),
        (["invalid", "valid"], 1),
        (["valid", "error"], 2),
        (["valid", "junk"], 2),
        (["error"], 2),
        (["error", "invalid"], 1),
        (["valid", "nowhere"], 2),
    ],
)
def test_the_worst_verdict_is_the_status(bbipc_: Bbipc, folder: Path, names: list[str], code: int) -> None:
    files = [folder / name / "proof" for name in names]
    if "nowhere" not in names:
        assert bbipc_("verify-many", *OF_SETUP, *(folder / name for name in names))[0] == code
    assert bbipc_("verify-many", *OF_SETUP, *files, "--vk", FLOW1.folder / "vk")[0] == code
    status, out, _ = bbipc_("verify-many", *OF_SETUP, *files, "--resume", folder / "journal", "--json")
    assert status == code
    report = json.loads(out)
    expected = [{"junk": "error", "nowhere": "error"}.get(name, name) for name in names]
    assert [one["outcome"] for one in report["proofs"]] == expected
    counts = Counter(expected)
    assert (report["valid"], report["invalid"], report["unreadable"]) == (counts["valid"], counts["invalid"], counts["error"])


def _mixed(folder: Path) -> dict[str, str]:
    """Proofs with keys of their own by each rule, and what is to be said of them."""
    folder.mkdir()
    expected = {}
    for name, sample, key in (
        ("proof_0", FLOW1, "vk_0"),
        ("proof_1", FLOW8, "vk_1"),
        ("b.proof", FLOW4, "b.vk"),
        ("proof", FLOW8, "vk"),
    ):
        (folder / name).write_bytes(sample.fields)
        (folder / key).write_bytes(sample.vk)
        expected[name] = "valid"
    for name, content in (("proof_2", "junk"), ("proof_3", "invalid"), ("z.proof", "error")):
        (folder / name).write_bytes(CONTENT[content])
        (folder / name.replace("proof_", "vk_").replace(".proof", ".vk")).write_bytes(FLOW1.vk)
        expected[name] = {"junk": "error"}.get(content, content)
    return expected


@pytest.mark.parametrize("journal", [False, True])
def test_each_file_has_its_own_verdict_under_its_own_key(bbipc_: Bbipc, tmp_path: Path, journal: bool) -> None:
    expected = _mixed(tmp_path / "mixed")
    more = ("--resume", tmp_path / "journal") if journal else ()
    for _ in range(2):  # the second time from the journal
        status, out, _err = bbipc_("verify-many", *OF_SETUP, tmp_path / "mixed", *more, "--json-lines")
        *lines, summary = map(json.loads, out.splitlines())
        assert status == 1
        assert {Path(one["file"]).name: one["outcome"] for one in lines} == expected
        assert (summary["valid"], summary["invalid"], summary["unreadable"], summary["total"]) == (4, 1, 2, 7)
        for one in lines:
            if one["outcome"] == "valid":
                name = Path(one["file"]).name
                sample = {"proof_0": FLOW1, "b.proof": FLOW4}.get(name, FLOW8)
                assert one["key"]["hash"] == "0x" + VerificationKey(sample.vk).hash.hex()
    status, out, _err = bbipc_("verify-many", *OF_SETUP, tmp_path / "mixed", *more)
    told = dict(line.split(": ")[:2] for line in out.splitlines()[:-2])
    assert {Path(name).name: verdict for name, verdict in told.items()} == expected
    status, out, _err = bbipc_("verify-many", *OF_SETUP, tmp_path / "mixed", *more, "--quiet")
    assert {Path(line.split(": ")[0]).name for line in out.splitlines()[:-2]} == {"proof_2", "proof_3", "z.proof"}


def test_no_file_is_left_out(bbipc_: Bbipc, tmp_path: Path) -> None:
    """Neither behind the first batch, nor in a folder of a folder; and a folder without proofs is an error."""
    deep = tmp_path / "all" / "deep" / "deeper"
    deep.mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for number in range(33):
        (deep / f"proof_{number:02}").write_bytes(CONTENT["invalid" if number == 32 else "valid"])
    (deep / "vk").write_bytes(FLOW1.vk)
    status, out, _ = bbipc_("verify-many", *OF_SETUP, tmp_path / "all", "--json", "--threads", "2")
    report = json.loads(out)
    assert (status, report["valid"], report["invalid"], report["total"]) == (1, 32, 1, 33)
    assert report["proofs"][32]["outcome"] == "invalid"
    assert bbipc_("verify-many", *OF_SETUP, FLOW1.folder / "proof_fields.bin", tmp_path / "empty")[0] == 2
    # As bb counts them, all are numbered from 0 on.
    for number in range(33):
        shutil.move(deep / f"proof_{number:02}", deep / f"proof_{number}")
        (deep / f"vk_{number}").write_bytes(FLOW1.vk)
    status, _, err = bbipc_("batch_verify", "-s", "chonk", "--proofs_dir", deep, *OF_SETUP)
    assert status == 1
    assert "proof_32: invalid: Merge reduction" in err
    assert "33 proofs: 32 valid" in err


def test_junit(bbipc_: Bbipc, tmp_path: Path) -> None:
    expected = _mixed(tmp_path / "mixed")
    assert bbipc_("verify-many", *OF_SETUP, tmp_path / "mixed", "--junit", tmp_path / "junit.xml")[0] == 1
    suite = ET.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("7", "3", "0")
    told = {
        Path(case.get("name", "")).name: None if (failure := case.find("failure")) is None else failure.get("type")
        for case in suite
    }
    assert told == {name: None if outcome == "valid" else outcome for name, outcome in expected.items()}


def test_an_interruption_is_no_success(bbipc_: Bbipc, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> Callable[[Iterable[Item]], Iterator[Result]]:
        def execute(items: Iterable[Item]) -> Iterator[Result]:
            yield Result(next(iter(items)), Verdict(Outcome.VALID))
            raise KeyboardInterrupt

        return execute

    monkeypatch.setattr(verify_many, "here", interrupted)
    files = [folder / name / "proof" for name in ("valid", "invalid", "error")]
    status, out, err = bbipc_("verify-many", *OF_SETUP, *files, "--json", "--junit", folder / "junit.xml")
    report = json.loads(out)
    assert (status, report["interrupted"], report["valid"], report["total"]) == (130, True, 1, 3)
    assert "interrupted" in err
    suite = ET.parse(folder / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "0", "2")
    assert [[part.tag for part in case] for case in suite] == [[], ["skipped"], ["skipped"]]


def test_each_second_opinion_is_on_its_own_proof() -> None:
    """Also behind what cannot be read, which nobody is asked about; and a server that ended is not asked again."""
    said = {0: True, 2: False, 3: None, 5: True, 6: False}
    key = keys.load_key(str(FLOW1.folder / "vk"))

    class Second:
        def verify_many(self, pairs: list[Any]) -> Iterator[RemoteVerdict]:
            for proof, vk in pairs:
                assert vk is key.key
                number = int.from_bytes(proof.to_fields()[:32], "big")
                if number == ends_at:
                    raise ServerGone("it ended")
                valid = said[number]
                yield RemoteVerdict(Outcome.ERROR, "no") if valid is None else RemoteVerdict(OUTCOMES[valid])

    def results() -> Iterator[Result]:
        for number in range(7):
            item = Item(number, f"{number}", "vk")
            if number in said:
                proof = ChonkProof.from_fields(word(number) + FLOW1.fields[32:])
                yield Result(item, Verdict(OUTCOMES[number % 2 == 0]), key, proof)
            else:
                yield Result(item, Verdict(Outcome.ERROR, reason="nothing"), None)

    for group in (1, 2, 3, 7):
        for ends_at in (None, 0, 3, 6):
            seen = list(with_opinions(results(), cast("Any", Second()), group))
            assert [one.number for one in seen] == list(range(7))
            for one in seen:
                asked = one.number in said and (ends_at is None or one.number < ends_at)
                assert (one.opinion is not None) == asked
                assert (one.unasked is None) == asked
                assert one.opinion is None or one.opinion.valid == (said[one.number] is True)
                assert one.disputed == (one.opinion is not None and one.opinion.valid != (one.number % 2 == 0))


OUTCOMES = {True: Outcome.VALID, False: Outcome.INVALID}


# ---- Journals -------------------------------------------------------------------------------------------------------


def _outcomes(out: str) -> list[str]:
    return [one["outcome"] for one in json.loads(out)["proofs"]]


def test_a_verdict_of_a_journal_belongs_to_the_bytes_of_proof_and_key(bbipc_: Bbipc, folder: Path) -> None:
    proof, key = folder / "valid" / "proof", folder / "valid" / "vk"
    asked = ("verify-many", proof, *OF_SETUP, "--resume", folder / "journal", "--json")

    def judged(content: bytes | None, vk: bytes | None) -> tuple[str, str]:
        keys._load.cache_clear()  # a process reads each key once
        for file, data in ((proof, content), (key, vk)):
            file.unlink(missing_ok=True)
            if data is not None:
                file.write_bytes(data)
        [one] = json.loads(bbipc_(*asked)[1])["proofs"]
        return one["outcome"], str(one["reason"])

    for _ in range(2):
        assert judged(FLOW1.fields, FLOW1.vk)[0] == "valid"
    assert judged(CONTENT["invalid"], FLOW1.vk)[0] == "invalid"
    assert judged(CONTENT["error"], FLOW1.vk)[0] == "error"
    assert judged(FLOW1.fields, FLOW1.vk)[0] == "valid"
    for content, vk, reason in (
        (None, FLOW1.vk, f"{proof}: No such file"),
        (FLOW1.fields, FLOW4.vk, "proof: 40768 bytes"),
        (FLOW1.fields, None, f"{key}: No such file"),
        (FLOW1.fields, b"nothing", "not a verification key"),
    ):
        outcome, told = judged(content, vk)
        assert (outcome, reason in told) == ("error", True), told
        assert judged(FLOW1.fields, FLOW1.vk)[0] == "valid"
    # What could not be read is looked at again, too.
    assert "No such file" in judged(FLOW1.fields, None)[1]
    assert "not a verification key" in judged(FLOW1.fields, b"nothing")[1]


def test_what_a_journal_has_and_what_it_has_not_are_both_told(bbipc_: Bbipc, folder: Path) -> None:
    files = [folder / name / "proof" for name in ("valid", "invalid", "error", "junk", "split")]
    expected = ["valid", "invalid", "error", "error", "valid"]
    for number, known in enumerate(([0], [1, 3], [0, 1], [4], [0, 4], [])):
        asked = (*OF_SETUP, "--resume", folder / f"journal{number}", "--json")
        if known:
            _, out, _ = bbipc_("verify-many", *(files[index] for index in known), *asked)
            assert _outcomes(out) == [expected[index] for index in known]
        for _ in range(2):
            status, out, _ = bbipc_("verify-many", *files, *asked)
            assert (status, _outcomes(out)) == (1, expected)
    lines = [json.loads(line) for line in (folder / "journal5").read_text().splitlines()[1:]]
    assert [(one["item"], one["result"]["outcome"]) for one in lines] == list(zip(map(str, files), expected, strict=True))


def test_a_journal_is_of_one_setup_and_strict_or_not(bbipc_: Bbipc, folder: Path) -> None:
    asked = ("verify-many", folder / "split", "--resume", folder / "journal")
    assert bbipc_(*asked, *OF_SETUP)[0] == 0
    assert bbipc_(*asked)[0] == 2
    assert bbipc_(*asked, *OF_SETUP, "--strict")[0] == 2
    assert bbipc_(*asked, *OF_SETUP)[0] == 0
    aztec, tests = Setup.AZTEC, Setup.from_json(SETUP)
    mixed = [Setup(g2_x, key) for g2_x in (aztec.g2_x, tests.g2_x) for key in (aztec.translator_key, tests.translator_key)]
    ends = [Setup(tests.g2_x[:-1] + b"\1", tests.translator_key), Setup(tests.g2_x, tests.translator_key[:-1] + b"\1")]
    assert len({archive.setup_name(setup) for setup in (*mixed, *ends)}) == 6


# ---- Clusters that go away, and others -------------------------------------------------------------------------------


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Iterator[Unit[Any]]], Iterator[Done]]], None]:
    """Units of two items go to the function that this is given, as they would go to a cluster."""

    def use(run_units: Callable[[Iterator[Unit[Any]]], Iterator[Done]]) -> None:
        monkeypatch.setattr(bbipc.cluster, "connect", lambda *_: nullcontext(None))
        monkeypatch.setattr(bbipc.cluster, "check_workers", lambda _: Counter({"ifma": 1}))
        monkeypatch.setattr(bbipc.cluster, "run_units", lambda _, units, **__: run_units(units))
        monkeypatch.setattr(archive, "cut", partial(cut, unit_items=2))

    return use


Cluster = Callable[[Callable[[Iterator[Unit[Any]]], Iterator[Done]]], None]


def _done(unit: Unit[Any]) -> Done:
    return Done(unit, decide(unit))


def test_units_in_any_order(bbipc_: Bbipc, folder: Path, cluster: Cluster) -> None:
    cluster(lambda units: map(_done, reversed(list(units))))
    names = ["valid", "invalid", "error", "split", "invalid", "valid"]
    files = [folder / name / "proof" for name in names]
    asked = ("verify-many", *files, *OF_SETUP, "--dask", "tcp://nowhere:1", "--json", "--resume", folder / "journal")
    for _ in range(2):
        status, out, _err = bbipc_(*asked)
        assert (status, _outcomes(out)) == (1, ["valid", "invalid", "error", "valid", "invalid", "valid"])


@pytest.mark.parametrize("journal", [False, True])
def test_what_a_lost_cluster_did_not_decide_is_an_error(bbipc_: Bbipc, folder: Path, cluster: Cluster, journal: bool) -> None:
    def lost_after_one(units: Iterator[Unit[Any]]) -> Iterator[Done]:
        yield _done(next(units))
        raise bbipc.cluster.ClusterLostError("gone")

    cluster(lost_after_one)
    more = ("--dask", "tcp://nowhere:1", *(("--resume", folder / "journal") if journal else ()))
    (folder / "valid" / "proof2").write_bytes(FLOW1.fields)
    (folder / "valid" / "proof3").write_bytes(FLOW1.fields)
    status, out, _ = bbipc_("verify-many", folder / "valid", *OF_SETUP, *more, "--json")
    report = json.loads(out)
    assert (status, [one["outcome"] for one in report["proofs"]]) == (2, ["valid", "valid", "error"])
    assert report["proofs"][2]["reason"].startswith("not verified: gone")
    (folder / "txs").mkdir()
    for number in range(3):
        shutil.copy(TX / "rollup.compressed.tx.bin", folder / "txs" / f"{number}")
    more = (*more[:2], *(("--resume", folder / "journal2") if journal else ()))
    status, out, _ = bbipc_("verify-tx", folder / "txs", *OF_TESTS, *more, "--json")
    assert (status, [json.loads(line)["valid"] for line in out.splitlines()]) == (2, [True, True, None])


def test_what_a_journal_has_is_told_even_if_the_cluster_is_lost_at_once(bbipc_: Bbipc, folder: Path, cluster: Cluster) -> None:
    def lost_at_once(units: Iterator[Unit[Any]]) -> Iterator[Done]:
        assert len(list(units)) == 1
        raise bbipc.cluster.ClusterLostError("gone")
        yield

    files = [folder / name / "proof" for name in ("split", "valid", "invalid")]
    journal = ("--resume", folder / "journal")
    assert bbipc_("verify-many", *files[1:], *OF_SETUP, *journal)[0] == 1
    cluster(lost_at_once)
    status, out, _ = bbipc_("verify-many", *files, *OF_SETUP, *journal, "--dask", "tcp://nowhere:1", "--json")
    assert (status, _outcomes(out)) == (2, ["error", "valid", "invalid"])


def test_a_verdict_of_a_journal_belongs_to_bytes_though_workers_read_the_files(
    bbipc_: Bbipc, folder: Path, cluster: Cluster
) -> None:
    cluster(lambda units: map(_done, units))
    asked = ("--dask", "tcp://nowhere:1", "--shared-files", "--resume")
    proof = folder / "valid" / "proof"
    for content, code in (("valid", 0), ("valid", 0), ("invalid", 1), ("error", 2), ("valid", 0)):
        proof.write_bytes(CONTENT[content])
        assert bbipc_("verify-many", proof, *OF_SETUP, *asked, folder / "journal")[0] == code
    tx = folder / "tx"
    for name, code in (("compressed", 0), ("forged-fee-payer", 1), ("noproof", 3), ("uncompressed", 0)):
        shutil.copy(TXS[name], tx)
        assert bbipc_("verify-tx", tx, *OF_TESTS, *asked, folder / "journal2")[0] == code


# ---- verify-tx ------------------------------------------------------------------------------------------------------

TX = E2E
OF_TESTS = (*OF_SETUP, "--registry", str(E2E / "registry-test.json"))
TXS = {name: E2E / f"rollup.{name}.tx.bin" for name in ("compressed", "uncompressed", "noproof", "forged-fee-payer")}
SAID = {"compressed": True, "uncompressed": True, "noproof": None, "forged-fee-payer": False, "junk": None, "nowhere": None}


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["compressed"], 0),
        (["compressed", "uncompressed"], 0),
        (["compressed", "noproof"], 3),
        (["noproof"], 3),
        (["forged-fee-payer", "noproof", "compressed"], 1),
        (["junk"], 2),
        (["nowhere", "compressed"], 2),
        (["noproof", "junk"], 2),
        (["junk", "noproof", "forged-fee-payer"], 1),
    ],
)
@pytest.mark.parametrize("journal", [False, True])
def test_the_worst_transaction_is_the_status(bbipc_: Bbipc, tmp_path: Path, names: list[str], code: int, journal: bool) -> None:
    (tmp_path / "junk").write_bytes(b"nothing")
    files = [TXS.get(name, tmp_path / name) for name in names]
    more = ("--resume", tmp_path / "journal") if journal else ()
    for _ in range(1 + journal):
        status, out, _err = bbipc_("verify-tx", *OF_TESTS, *files, "--json-lines", *more)
        *lines, summary = map(json.loads, out.splitlines())
        lines.sort(key=lambda one: [*map(str, files)].index(one["file"]))
        assert (status, [one["valid"] for one in lines]) == (code, [SAID[name] for name in names])
        assert [one["error"] is None for one in lines] == [name in TXS for name in names]
        for one, name in zip(lines, names, strict=True):
            failed = [check["name"] for check in one["checks"] if check["ok"] is False]
            assert failed == (["proof"] if name == "forged-fee-payer" else [])
            assert one["valid"] is not True or all(check["ok"] is True for check in one["checks"])
        counts = Counter("unreadable" if name not in TXS else str(SAID[name]) for name in names)
        found = [summary[name] for name in ("valid", "invalid", "undecided", "unreadable")]
        assert found == [counts[name] for name in ("True", "False", "None", "unreadable")]
    _, out, err = bbipc_("verify-tx", *OF_TESTS, *files, "--quiet", *more)
    told = [line.split(":")[0] for line in out.splitlines() if line.startswith(("valid", "invalid", "undecided"))]
    words = {True: "valid", False: "invalid", None: "undecided"}
    assert told == [words[SAID[name]] for name in names if name in TXS and not SAID[name]]
    assert err.count("bbipc: error: ") == counts["unreadable"]


def test_the_operators_demands_on_transactions(bbipc_: Bbipc, tmp_path: Path) -> None:
    file = TXS["compressed"]
    _, _, err = bbipc_("verify-tx", *OF_TESTS, file)
    assert "registry of" in err
    assert "not Aztec's: transactions count as valid under the key trees that it names" in err
    for journal in ((), ("--resume", tmp_path / "journal")):
        assert bbipc_("verify-tx", *OF_TESTS, file, *journal)[0] == 0
        for number, (options, code) in enumerate(
            (
                ((*OF_TESTS, "--network", "testnet"), 0),
                ((*OF_TESTS, "--network", "mainnet"), 1),
                (OF_TESTS[:2], 1),
                (OF_TESTS[2:], 1),
                ((*OF_TESTS, "--strict"), 0),
            )
        ):
            # A journal of its own; the one before is of other options.
            more = (*journal[:1], tmp_path / f"journal{number}") if journal else ()
            assert bbipc_("verify-tx", file, *options, *more)[0] == code
            if journal:
                assert bbipc_("verify-tx", file, *options, *journal)[0] == 2
    longer = tmp_path / "longer"
    longer.write_bytes(file.read_bytes() + b"\0")
    assert bbipc_("verify-tx", *OF_TESTS, longer)[0] == 0
    assert bbipc_("verify-tx", *OF_TESTS, longer, "--strict")[0] == 1


def test_a_verdict_of_a_journal_belongs_to_the_bytes_of_a_transaction(bbipc_: Bbipc, tmp_path: Path) -> None:
    file = tmp_path / "tx"
    whole = TXS["compressed"].read_bytes()
    changed = bytearray(whole)
    changed[-3] ^= 1  # in the proof
    for content, code in ((whole, 0), (whole, 0), (whole[:-1], 2), (bytes(changed), 1), (whole, 0)):
        file.write_bytes(content)
        assert bbipc_("verify-tx", *OF_TESTS, file, "--resume", tmp_path / "journal")[0] == code
    file.unlink()
    status, _, err = bbipc_("verify-tx", *OF_TESTS, file, "--resume", tmp_path / "journal")
    assert (status, "No such file" in err) == (2, True)


def test_verdicts_survive_a_journal() -> None:
    checks = (Check("size", True, "fits"), Check("proof", None, "none"), Check("form", False, "odd", warning=True))
    for verdict in (
        TxVerdict(error="cannot be read"),
        TxVerdict(checks, bytes(32), "5.0.0", "testnet"),
        TxVerdict(checks[:1], bytes(range(32)), None, None),
    ):
        again = verify_tx._from_journal(json.loads(json.dumps(verify_tx._to_journal(verdict))))
        assert again == verdict
        assert again.valid is verdict.valid


def test_registries_have_one_name_only_if_they_are_the_same() -> None:
    registry = registry_of_tests()
    release, network = registry.releases[-1], registry.networks[0]
    [(name, key), *_] = release.keys.items()
    other_key = VerificationKey(FLOW1.vk)
    assert key.to_bytes() != other_key.to_bytes()
    names = {
        verify_tx._registry_name(changed)
        for changed in (
            registry,
            replace(registry, networks=()),
            replace(registry, networks=(replace(network, chain_id=network.chain_id + 1), *registry.networks[1:])),
            replace(registry, releases=()),
            *(
                replace(registry, releases=(*registry.releases[:-1], changed))
                for changed in (
                    replace(release, vk_tree_root=bytes(32)),
                    replace(release, protocol_contracts_hash=bytes(32)),
                    replace(release, name="other"),
                    replace(release, keys={**release.keys, name: other_key}),
                    replace(release, keys={}),
                )
            ),
        )
    }
    assert len(names) == 9
    assert verify_tx._registry_name(registry) == verify_tx._registry_name(registry_of_tests())


# ---- In bb's words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "code"), [("valid", 0), ("invalid", 1), ("error", 1), ("junk", 1), ("nowhere", 1)])
def test_bb_verify(bbipc_: Bbipc, folder: Path, name: str, code: int) -> None:
    words = ("verify", "-s", "chonk", "-p", folder / name / "proof", "-k", FLOW1.folder / "vk")
    status, out, err = bbipc_(*words, *OF_SETUP)
    assert (status, out) == (code, "")
    assert ("\nvalid  key" in err) == (code == 0)
    assert bbipc_(*words)[0] == 1  # under Aztec's setup
    assert bbipc_(*words[:-1], FLOW4.folder / "vk", *OF_SETUP)[0] == 1
    if code == 0:
        for more, status in ((31, 0), (32, 1)):  # only whole words are looked at, and all of them
            (folder / "valid" / "proof").write_bytes(FLOW1.fields + bytes(more))
            assert bbipc_(*words, *OF_SETUP)[0] == status


@pytest.mark.parametrize("bad", ["invalid", "error", "junk"])
@pytest.mark.parametrize("place", range(3))
def test_bb_batch_verify(bbipc_: Bbipc, folder: Path, bad: str, place: int) -> None:
    proofs = folder / "proofs"
    proofs.mkdir()
    words = ("batch_verify", "-s", "chonk", "--proofs_dir", proofs, *OF_SETUP)
    assert bbipc_(*words)[0] == 1  # there is none
    for number, sample in enumerate((FLOW1, FLOW8, FLOW4)):
        (proofs / f"proof_{number}").write_bytes(sample.fields)
        (proofs / f"vk_{number}").write_bytes(sample.vk)
    assert bbipc_(*words)[0] == 0
    assert bbipc_(*words[:-2])[0] == 1
    (proofs / f"proof_{place}").write_bytes(CONTENT[bad])
    (proofs / f"vk_{place}").write_bytes(FLOW1.vk)
    status, _, err = bbipc_(*words)
    assert status == 1
    assert f"proof_{place}: " in err
    assert all(f"proof_{other}: " not in err for other in range(3) if other != place)
    (proofs / f"proof_{place}").unlink()
    status, _, err = bbipc_(*words)
    assert status == (1 if place == 0 else 0)
    if place == 1:
        assert "1 more proof NOT verified" in err
