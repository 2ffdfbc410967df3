"""The journal of results."""

import json
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.archive.journal import Journal, JournalError, Record

ASKED = {"command": "verify-many", "strict": False}

names = st.text(st.characters(), max_size=20)  # with lone surrogates, as names of files have them
digests = st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex)
records = st.lists(st.builds(Record, names, digests, st.dictionaries(st.text(max_size=5), st.none() | st.text(max_size=9))))


@given(st.lists(records, max_size=4), st.data())
def test_cut_anywhere_it_keeps_what_was_whole(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Record]], data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("journal") / "journal"
    with Journal(file, ASKED) as journal:
        for batch in batches:
            journal.add(batch)
    content = file.read_bytes()
    end = data.draw(st.integers(0, len(content)))
    file.write_bytes(content[:end])
    whole = max(content[:end].count(b"\n") - 1, 0)
    written = [record for batch in batches for record in batch]
    expected = {record.item: record for record in written[:whole]}
    with Journal(file, ASKED) as journal:
        assert len(journal) == len(expected)
        for item, record in expected.items():
            assert journal.known(item, record.sha256) == record.result
            assert journal.known(item, "another") is None
        journal.add(written[whole:])
    with Journal(file, ASKED) as journal:
        assert len(journal) == len({record.item for record in written})


def test_other_options_and_other_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    Journal(journal, ASKED).__exit__(None, None, None)
    before = journal.read_bytes()
    with pytest.raises(JournalError, match="strict false there, true now"):
        Journal(journal, ASKED | {"strict": True})
    with pytest.raises(JournalError, match='network null there, "testnet" now'):
        Journal(journal, ASKED | {"network": "testnet"})
    with pytest.raises(JournalError, match="strict false there, null now"):
        Journal(journal, {"command": "verify-many"})
    assert journal.read_bytes() == before
    for content in (
        b"hello",
        b"hello\n",
        b"\x00" * 100,
        b"[]\n",
        b'{"a": 1}\n',
        before + b"[]\n",
        before + b"{}\n",
        b"x" * (2 << 20),
    ):
        journal.write_bytes(content)
        with pytest.raises(JournalError, match="journal"):
            Journal(journal, ASKED)
        assert journal.read_bytes() == content


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", ASKED), pytest.raises(JournalError, match="another process"):
        Journal(tmp_path / "journal", ASKED)


def test_what_cannot_be_opened_or_written(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        Journal(tmp_path / "none" / "journal", ASKED)
    with pytest.raises(JournalError, match="Is a directory"):
        Journal(tmp_path, ASKED)
    file = tmp_path / "journal"
    with Journal(file, ASKED) as journal:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 10, limits[1]))
        try:
            with pytest.raises(JournalError, match="File too large"):
                journal.add([Record("p", None, {})])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_its_lines_are_what_the_documentation_says(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", ASKED) as journal:
        journal.add([Record("p", "ab", {"outcome": "valid"})])
    header, line = map(json.loads, (tmp_path / "journal").read_text().splitlines())
    assert header["asked"] == ASKED
    assert line == {"item": "p", "sha256": "ab", "result": {"outcome": "valid"}}
