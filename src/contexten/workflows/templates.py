"""Workflows for common work, ready to be given their texts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from contexten.errors import WorkflowError
from contexten.workflows.builder import WorkflowBuilder
from contexten.workflows.definition import with_inputs

if TYPE_CHECKING:
    from contexten.protocol.workflows import WorkflowDefinition


class WorkflowTemplates:
    """Each method gives a workflow. What it is given is quoted in the prompts as it is, braces included."""

    @staticmethod
    def feature_development_workflow(feature_name: str, requirements: str) -> WorkflowDefinition:
        """Design a feature, write it, test it, review it, document it."""
        return with_inputs(_feature(), {"feature_name": feature_name, "requirements": requirements})

    @staticmethod
    def bug_fix_workflow(bug: str) -> WorkflowDefinition:
        """Find the cause of a bug, prove it with a test, mend it, review the change."""
        return with_inputs(_bug_fix(), {"bug": bug})

    @staticmethod
    def code_review_workflow(scope: str) -> WorkflowDefinition:
        """Review code from three sides at once, and put the findings in order."""
        return with_inputs(_code_review(), {"scope": scope})

    @staticmethod
    def test_suite_workflow(target: str) -> WorkflowDefinition:
        """Find what is not tested, write the tests, judge them."""
        return with_inputs(_test_suite(), {"target": target})

    @staticmethod
    def documentation_workflow(target: str, audience: str = "people who use it") -> WorkflowDefinition:
        """Find out what is there, write about it, check every statement."""
        return with_inputs(_documentation(), {"target": target, "audience": audience})

    @staticmethod
    def refactoring_workflow(target: str, goal: str) -> WorkflowDefinition:
        """Secure what code does by tests, change its shape, compare."""
        return with_inputs(_refactoring(), {"target": target, "goal": goal})

    @staticmethod
    def onboarding_workflow() -> WorkflowDefinition:
        """Get to know a repository: questions that the analyst answers without a model."""
        return _onboarding()


def template_names() -> list[str]:
    """What the templates are called."""
    return list(_TEMPLATES)


def template(name: str) -> WorkflowDefinition:
    """A template, whose inputs still have to be given.

    Raises:
        WorkflowError: there is none of this name.
    """
    if name not in _TEMPLATES:
        raise WorkflowError([f"There is no template {name!r}. There are: {', '.join(_TEMPLATES)}."])
    return _TEMPLATES[name]()


@cache
def _feature() -> WorkflowDefinition:
    asked = "the feature {{ inputs.feature_name }}. Requirements:\n\n{{ inputs.requirements }}"
    return (
        WorkflowBuilder("feature_development", "Feature development", "Design, write, test, review, document")
        .add_input("feature_name")
        .add_input("requirements")
        .add_task("design", "Design", "code_generation", f"Design {asked}\n\nChange no file: say which, and how.")
        .add_task("implement", "Implementation", "code_generation", f"Implement {asked}", ["design"])
        .add_task("test", "Tests", "testing", f"Write and run tests of {asked}", ["implement"])
        .add_task("review", "Review", "code_review", f"Review the change that made {asked}", ["implement"])
        .add_task("document", "Documentation", "documentation", f"Document {asked}", ["test", "review"])
        .build()
    )


@cache
def _bug_fix() -> WorkflowDefinition:
    bug = "\n\n{{ inputs.bug }}"
    return (
        WorkflowBuilder("bug_fix", "Bug fix", "Find the cause, prove it, mend it, review")
        .add_input("bug")
        .add_task("diagnose", "Diagnosis", "code_review", f"Find the cause of this bug, and change no file:{bug}")
        .add_task(
            "reproduce", "Failing test", "testing", f"Write a test that fails because of this bug:{bug}", ["diagnose"]
        )
        .add_task("fix", "Fix", "code_generation", f"Mend this bug at its cause:{bug}", ["diagnose", "reproduce"])
        .add_task(
            "verify", "Verification", "testing", f"Run the tests, and say whether this bug is gone:{bug}", ["fix"]
        )
        .add_task("review", "Review", "code_review", f"Review the change that mended this bug:{bug}", ["fix"])
        .build()
    )


@cache
def _code_review() -> WorkflowDefinition:
    scope = "\n\n{{ inputs.scope }}"
    sides = ["correctness", "security", "maintainability"]
    return (
        WorkflowBuilder(
            "code_review", "Code review", "Correctness, security and maintainability at once, then a verdict"
        )
        .add_input("scope")
        .add_task(
            "correctness", "Correctness", "code_review", f"Review for wrong results and unhandled failures:{scope}"
        )
        .add_task("security", "Security", "code_review", f"Review as somebody who wants to break in:{scope}")
        .add_task(
            "maintainability", "Maintainability", "code_review", f"Review for what makes it hard to change:{scope}"
        )
        .add_task(
            "verdict", "Verdict", "documentation", f"Put the findings in order, the worst first, about:{scope}", sides
        )
        .build()
    )


@cache
def _test_suite() -> WorkflowDefinition:
    target = "\n\n{{ inputs.target }}"
    return (
        WorkflowBuilder("test_suite", "Test suite", "Find what is not tested, write the tests, judge them")
        .add_input("target")
        .add_task("gaps", "What is missing", "code_review", f"Find behaviour that no test covers in:{target}")
        .add_task("write", "Tests", "testing", f"Write the missing tests of:{target}", ["gaps"])
        .add_task(
            "judge",
            "Review",
            "code_review",
            f"Break the code on purpose and see which tests notice:{target}",
            ["write"],
        )
        .build()
    )


@cache
def _documentation() -> WorkflowDefinition:
    target = "\n\n{{ inputs.target }}\n\nIt is for: {{ inputs.audience }}"
    return (
        WorkflowBuilder("documentation", "Documentation", "Find out, write, check")
        .add_input("target")
        .add_input("audience", "people who use it")
        .add_task("study", "Study", "code_review", f"Find out all that documentation should say about:{target}")
        .add_task("write", "Text", "documentation", f"Write the documentation of:{target}", ["study"])
        .add_task("check", "Check", "testing", f"Run each example and check each statement about:{target}", ["write"])
        .build()
    )


@cache
def _refactoring() -> WorkflowDefinition:
    target = "{{ inputs.target }}\n\nGoal: {{ inputs.goal }}"
    return (
        WorkflowBuilder("refactoring", "Refactoring", "Secure what it does, change its shape, compare")
        .add_input("target")
        .add_input("goal")
        .add_task("plan", "Plan", "code_review", f"Plan the refactoring, and change no file: {target}")
        .add_task("secure", "Safety net", "testing", f"Write tests of what this does today: {target}", ["plan"])
        .add_task("change", "Change", "code_generation", f"Refactor, in small steps: {target}", ["plan", "secure"])
        .add_task(
            "compare", "Comparison", "testing", f"Run the tests and say what behaves differently: {target}", ["change"]
        )
        .add_task("review", "Review", "code_review", f"Review the refactoring: {target}", ["change"])
        .build()
    )


@cache
def _onboarding() -> WorkflowDefinition:
    facts = ["overview", "entry_points", "tests"]
    return (
        WorkflowBuilder("onboarding", "Onboarding", "Get to know a repository; needs no model")
        .add_task("overview", "Overview", "documentation", "Give me an overview")
        .add_task("entry_points", "Entry points", "documentation", "What are the entry points?")
        .add_task("tests", "Tests", "testing", "Where are the tests?")
        .add_task("unused", "Unused code", "code_review", "Which functions are never used?", facts)
        .build()
    )


_TEMPLATES = {
    "feature_development": _feature,
    "bug_fix": _bug_fix,
    "code_review": _code_review,
    "test_suite": _test_suite,
    "documentation": _documentation,
    "refactoring": _refactoring,
    "onboarding": _onboarding,
}
