"""The tool with which a model says that it is done."""

from __future__ import annotations

from pydantic import Field

from contexten.engines.model.tools.tool import Arguments


class Finish(Arguments):
    """Say that the task is done, or that it cannot be done, and give the answer. This ends your work."""

    answer: str = Field(
        min_length=1,
        description="For the person, in Markdown: what you did and where, what you checked, what is doubtful or left.",
    )
