import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexten.protocol import RunStatus, is_successful, is_terminal
from contexten.protocol.status import TERMINAL

GOING_ON = {RunStatus.PENDING, RunStatus.ACTIVE, RunStatus.RUNNING, RunStatus.EVALUATION, RunStatus.PAUSED}


def test_every_known_status_is_either_going_on_or_terminal():
    assert set(RunStatus) == GOING_ON | TERMINAL
    assert not GOING_ON & TERMINAL


@pytest.mark.parametrize("written", ["completed", "COMPLETED", "Complete", " complete "])
def test_complete_and_completed_are_one(written):
    assert RunStatus.parse(written) is RunStatus.COMPLETE
    assert is_successful(written)
    assert is_terminal(written)


@given(st.sampled_from(list(RunStatus)), st.randoms())
def test_case_does_not_matter(status, random):
    written = "".join(random.choice((c.lower(), c.upper())) for c in status)
    assert RunStatus.parse(written) is status


@pytest.mark.parametrize("unknown", ["REVIEWING", "", "complete!"])
def test_an_unknown_status_passes_through_and_counts_as_going_on(unknown):
    assert RunStatus.parse(unknown) == unknown
    assert not is_terminal(unknown)
    assert not is_successful(unknown)


def test_no_status_is_not_an_end():
    assert not is_terminal(None)
    assert not is_successful(None)
