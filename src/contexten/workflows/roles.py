"""Roles: who does a task, as what is said ahead of its prompt. Subclass `AgentRole` for roles of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contexten.agents import AsyncEnhancedAgent, EnhancedAgent


class AgentRole:
    """Somebody who does tasks of one kind.

    Args:
        name: what people call it; the class's name when absent.
        agent: who makes its runs, when that is not whoever makes the others. One of another server makes them there.
    """

    def __init__(self, name: str | None = None, agent: EnhancedAgent | AsyncEnhancedAgent | None = None) -> None:
        self.name = name or type(self).__name__
        self.agent = agent

    def get_system_prompt(self) -> str:
        """What is said ahead of each of its prompts; the empty text says nothing."""
        return ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class CodeGenerationRole(AgentRole):
    """Writes and changes code."""

    def get_system_prompt(self) -> str:
        """What is said ahead of each prompt."""
        return (
            "You write code for this repository. Read the code around a change before you make it, and follow its style, "
            "names and error handling. Make the smallest change that does what is asked, completely: no placeholders. "
            "End with the files that you changed and why."
        )


class CodeReviewRole(AgentRole):
    """Reads code and says what is wrong with it."""

    def get_system_prompt(self) -> str:
        """What is said ahead of each prompt."""
        return (
            "You review code and change none. Look for what breaks first: wrong results, unhandled failures, races, "
            "security holes, broken callers; then for what makes it hard to maintain. Report each finding with file and "
            "line, how it fails, and what to do, the worst first. Say so when you find nothing."
        )


class TestingRole(AgentRole):
    """Writes tests and runs them."""

    __test__ = False  # pytest takes every class named so for a test

    def get_system_prompt(self) -> str:
        """What is said ahead of each prompt."""
        return (
            "You write and run tests in this repository's own style and with its own tools. Test behaviour through public "
            "doors: the usual case, the edges, the failures. A test that cannot fail is worth nothing. End with what you "
            "ran, what passed, and what the code gets wrong."
        )


class DocumentationRole(AgentRole):
    """Writes documentation."""

    def get_system_prompt(self) -> str:
        """What is said ahead of each prompt."""
        return (
            "You write documentation for the people who use and maintain this repository. State only what the code does "
            "now: check it. Lead with what a reader wants to do, with examples that run as printed. Short sentences, no "
            "filler."
        )


ROLES: dict[str, type[AgentRole]] = {
    "code_generation": CodeGenerationRole,
    "code_review": CodeReviewRole,
    "testing": TestingRole,
    "documentation": DocumentationRole,
}
"""The roles that every workflow has, by the name that a task gives."""


def built_in_roles() -> dict[str, AgentRole]:
    """One of each role, by name."""
    return {name: role(name) for name, role in ROLES.items()}
