from hypothesis import given
from hypothesis import strategies as st

from contexten.agents import Progress
from contexten.protocol import LogEntry, LogEvent, StatusEvent


def log(kind, steps=None):
    observation = {"steps": [{}] * steps} if steps is not None else None
    entry = LogEntry(agent_run_id=1, message_type=kind, observation=observation)
    return LogEvent(id=1, agent_run_id=1, turn=1, position=0, entry=entry)


def status(value):
    return StatusEvent(id=1, agent_run_id=1, turn=1, status=value, created_at="")


events = st.one_of(
    st.builds(log, st.sampled_from(["ACTION", "PLAN_EVALUATION", "FINAL_ANSWER", "USER_MESSAGE", "NEW"])),
    st.builds(log, st.just("PLAN_EVALUATION"), st.integers(0, 5)),
    st.builds(status, st.sampled_from(["PENDING", "RUNNING", "REVIEWING"])),
)


@given(st.lists(events, max_size=30))
def test_progress_never_falls_and_is_full_only_at_the_end(happened):
    progress = Progress()
    seen = [progress.take(event) for event in happened]
    assert seen == sorted(seen)
    assert all(percent <= 95 for percent in seen)
    assert progress.take(status("CANCELLED")) == 100


def test_without_a_plan_nothing_is_made_up():
    progress = Progress()
    assert [progress.take(event) for event in (status("RUNNING"), log("ACTION"), log("ACTION"))] == [5, 5, 5]
