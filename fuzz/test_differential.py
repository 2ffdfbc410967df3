"""A differential campaign that was stopped goes on where it ended, with all that it had counted."""

from argparse import Namespace
from pathlib import Path

import pytest
from differential import Campaign, load_samples

from bbipc.chonk import Setup, Verifier

VERIFIER = Verifier(Setup.AZTEC)


def campaign(path: Path, seed: int = 1, start: int = 0) -> Campaign:
    options = Namespace(resume=path, seed=seed, start=start, count=10, minutes=None, ipa_one_in=1)
    made = Campaign(options, load_samples(), VERIFIER, VERIFIER, next_index=start)
    made.resume()
    return made


def test_a_campaign_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    first = campaign(path)
    assert [first.take() for _ in range(4)] == [0, 1, 2, 3]
    first.at_work -= {0, 1, 3}  # number 2 was never judged
    first.judged, first.outcomes["valid"], first.deaths = 3, 2, 1
    first.failures.append({"index": 1})
    first.save_state()

    second = campaign(path)
    assert (second.judged, second.outcomes, second.deaths, second.failures) == (3, first.outcomes, 1, [{"index": 1}])
    assert second.seconds >= first.seconds_before
    assert second.take() == 2
    assert second.mutant(2) == first.mutant(2)
    while second.take() is not None:
        pass
    assert second.next_index == 10


def test_a_state_of_another_campaign_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    campaign(path).save_state()
    with pytest.raises(ValueError, match="seed 1, start 0"):
        campaign(path, seed=2)
    with pytest.raises(ValueError, match="seed 1, start 0"):
        campaign(path, start=5)
