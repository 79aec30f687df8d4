"""The scheduler, whatever the graph and in whatever order its tasks end."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contexten.errors import UsageError
from contexten.protocol.workflows import TaskStatus, WorkflowDefinition, WorkflowStatus
from contexten.workflows.schedule import Schedule
from contexten.workflows.states import Ended, first_states, states_from_json, states_to_json


def workflow(*tasks, **more):
    tasks = [{"role": "testing", "prompt": "do it", **task} for task in tasks]
    return WorkflowDefinition.model_validate({"id": "w", "name": "W", "tasks": tasks, **more})


@st.composite
def graphs(draw):
    """A graph of up to nine tasks, with retries, allowed failures and a limit of how many run at a time."""
    count = draw(st.integers(1, 9))
    tasks = []
    for number in range(count):
        before = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        tasks.append(
            {
                "id": f"t{number}",
                "dependencies": [f"t{other}" for other in sorted(before)],
                "on_failure": draw(st.sampled_from(["skip", "skip", "continue"])),
                "retry": {"attempts": draw(st.integers(1, 3)), "backoff": draw(st.sampled_from([0, 10]))},
            }
        )
    shuffled = draw(st.permutations(tasks))
    return workflow(*shuffled, limits={"max_concurrent": draw(st.none() | st.integers(1, 4))})


class Played:
    """A workflow that is played to its end; the draws say what ends next, and how."""

    def __init__(self, definition, data):
        self.definition, self.data = definition, data
        self.schedule = Schedule(definition)
        self.tasks = {task.id: task for task in definition.tasks}
        self.states, self.now = first_states(definition), 0.0
        self.begun, self.running = [], {}

    def play(self):
        for _ in range(1000):
            before = self.states
            self.states, begun = self.schedule.advance(self.kept(self.states), self.now)
            self.check(before, begun)
            for name in begun:
                self.running[name] = self.states[name].attempt
            if all(state.has_ended for state in self.states.values()):
                return
            if self.running and self.data.draw(st.sampled_from([True, True, False])):
                self.end_some()
            else:
                self.now += 7
        raise AssertionError("it never ends")

    def kept(self, states):
        """A scheduler that is killed goes on with what it wrote down."""
        return states_from_json(states_to_json(states)) if self.data.draw(st.booleans()) else states

    def end_some(self):
        chosen = self.data.draw(st.lists(st.sampled_from(sorted(self.running)), min_size=1, unique=True))
        ends = []
        for name in chosen:
            status = self.data.draw(st.sampled_from(["COMPLETE", "COMPLETE", "FAILED", "TIMEOUT", "CANCELLED"]))
            ends.append(Ended(name, self.running.pop(name), status))
        self.states = self.schedule.note(self.states, ends, self.now)
        again = self.schedule.note(self.states, [end._replace(status="COMPLETE") for end in ends], self.now)
        assert again == self.states, "an end counts once"

    def check(self, before, begun):
        assert begun == [name for name in self.tasks if name in begun], "in the order of the document"
        most = self.definition.limits.max_concurrent
        assert most is None or len(self.running) + len(begun) <= most
        for name in begun:
            self.begun.append(name)
            assert name not in self.running
            assert before[name].status in {TaskStatus.PENDING, TaskStatus.RETRYING}
            assert before[name].not_before is None or before[name].not_before <= self.now
            for other in self.tasks[name].dependencies:
                done = self.states[other].status
                allowed = self.tasks[other].on_failure == "continue" and done in {"FAILED", "CANCELLED"}
                assert done is TaskStatus.COMPLETE or allowed


@settings(max_examples=150, deadline=None)
@given(graphs(), st.data())
def test_every_order_of_ends_gives_a_valid_order_of_tasks(definition, data):
    played = Played(definition, data)
    played.play()
    for name, task in played.tasks.items():
        state = played.states[name]
        assert played.begun.count(name) == state.attempt <= task.retry.attempts
        failed_before = [
            other
            for other in task.dependencies
            if played.states[other].status is TaskStatus.SKIPPED
            or (
                played.states[other].status in {TaskStatus.FAILED, TaskStatus.CANCELLED}
                and played.tasks[other].on_failure == "skip"
            )
        ]
        assert (state.status is TaskStatus.SKIPPED) == bool(failed_before)
        assert state.attempt or state.status is TaskStatus.SKIPPED
    assert played.schedule.status(played.states) in {WorkflowStatus.COMPLETE, WorkflowStatus.FAILED}


@settings(max_examples=80, deadline=None)
@given(graphs(), st.data())
def test_a_retry_does_again_what_was_not_done_and_nothing_else(definition, data):
    played = Played(definition, data)
    played.play()
    before = played.states
    not_done = {name for name, state in before.items() if state.status is not TaskStatus.COMPLETE}
    if not not_done:
        with pytest.raises(UsageError, match="Every task was done"):
            played.schedule.retry(before)
        return
    played.states, played.begun = played.schedule.retry(before), []
    played.play()
    assert set(played.begun) <= not_done
    for name in before.keys() - not_done:
        assert played.states[name] == before[name]


CHAIN = workflow({"id": "a"}, {"id": "b", "dependencies": ["a"]}, {"id": "c", "dependencies": ["b"]})


def ended(schedule, states, name, status="COMPLETE", **more):
    states = schedule.note(states, [Ended(name, states[name].attempt, status, **more)], 1.0)
    return schedule.advance(states, 1.0)


def test_a_task_that_fails_is_tried_again_after_a_pause_that_grows():
    definition = workflow({"id": "a", "retry": {"attempts": 3, "backoff": 10}})
    schedule = Schedule(definition)
    states, begun = schedule.advance(first_states(definition), 0.0)
    assert begun == ["a"]
    states, begun = ended(schedule, states, "a", "FAILED", reason="no model")
    assert (states["a"].status, begun, schedule.wake_at(states)) == (TaskStatus.RETRYING, [], 11.0)
    assert schedule.status(states) is WorkflowStatus.RUNNING
    states, begun = schedule.advance(states, 11.0)
    assert (states["a"].attempt, begun) == (2, ["a"])
    states, begun = ended(schedule, states, "a", "TIMEOUT")
    assert schedule.wake_at(states) == 21.0
    states, begun = schedule.advance(states, 21.0)
    states, begun = ended(schedule, states, "a", "ERROR", reason="broken")
    assert (states["a"].status, states["a"].reason, begun) == (TaskStatus.FAILED, "broken", [])


def test_a_gate_waits_for_a_person():
    schedule = Schedule(workflow({"id": "a"}, {"id": "b", "dependencies": ["a"], "approval": True}))
    states, _ = schedule.advance(first_states(workflow({"id": "a"}, {"id": "b"})), 0.0)
    with pytest.raises(UsageError, match="'b' is PENDING and waits for nobody"):
        schedule.approve(states, "b", 0.0)
    states, begun = ended(schedule, states, "a")
    assert (begun, schedule.status(states)) == ([], WorkflowStatus.PAUSED)
    _, begun = schedule.advance(schedule.approve(states, "b", 2.0), 2.0)
    assert begun == ["b"]
    rejected, begun = schedule.advance(schedule.approve(states, "b", 2.0, approved=False), 2.0)
    assert (rejected["b"].status, begun, schedule.status(rejected)) == ("SKIPPED", [], WorkflowStatus.FAILED)


def test_nothing_more_is_begun_once_the_limit_of_cost_is_reached():
    definition = workflow({"id": "a"}, {"id": "b", "dependencies": ["a"]}, limits={"max_cost_usd": 1})
    schedule = Schedule(definition)
    states, _ = schedule.advance(first_states(definition), 0.0)
    states, begun = ended(schedule, states, "a", cost_usd=1.5)
    assert (begun, states["b"].status, states["b"].reason) == ([], "SKIPPED", "the limit of $1 is reached")


def test_a_cancelled_workflow_begins_nothing_and_may_be_gone_on_with():
    schedule = Schedule(CHAIN)
    states, _ = schedule.advance(first_states(CHAIN), 0.0)
    states, _ = ended(schedule, states, "a")
    cancelled, begun = schedule.advance(schedule.cancel(states, 2.0), 2.0)
    assert ([state.status for state in cancelled.values()], begun) == (["COMPLETE", "CANCELLED", "CANCELLED"], [])
    _, begun = schedule.advance(schedule.retry(cancelled), 3.0)
    assert begun == ["b"]


def test_a_retry_from_a_task_does_it_and_what_follows_again():
    schedule = Schedule(CHAIN)
    states = {
        name: replace(state, status=TaskStatus.COMPLETE, attempt=1) for name, state in first_states(CHAIN).items()
    }
    states, begun = schedule.advance(schedule.retry(states, "b"), 3.0)
    assert (begun, states["a"].status, states["b"].attempt, states["c"].status) == (["b"], "COMPLETE", 2, "PENDING")
    with pytest.raises(UsageError, match="'b' is under way"):
        schedule.retry(states, "a")
    with pytest.raises(UsageError, match=r"no task 'x'\. There are: a, b, c"):
        schedule.retry(states, "x")
    with pytest.raises(UsageError, match="'c' depends on 'b', which is RUNNING"):
        schedule.retry(states, "c")
