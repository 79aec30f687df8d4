"""All that new code must pass before it is used: the policy, ruff, and a trial in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contexten.autogenlib.answer import merged
from contexten.autogenlib.lint import errors_in
from contexten.autogenlib.trial import failures_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from contexten.autogenlib.policy import Policy
    from contexten.autogenlib.request import GenerationRequest


class Gate:
    """What stands between an answer and its use.

    Args:
        policy: what is let through.
        paths: folders that generated code imports the project's own modules from.
        trial: whether code is tried.
        walls: whether it is tried in bubblewrap, where that works.
        hidden: folders that it does not see there.
    """

    def __init__(
        self,
        policy: Policy,
        paths: Sequence[Path] = (),
        *,
        trial: bool = True,
        walls: bool = True,
        hidden: Sequence[Path] = (),
    ) -> None:
        self.policy, self._paths, self._trial = policy, tuple(paths), trial
        self._walls, self._hidden = walls, tuple(hidden)

    def refusals(self, code: str, request: GenerationRequest) -> list[str]:
        """Why new code is not let in; nothing when it is.

        Args:
            code: what is to be added to the request's module.
            request: what was asked for.

        Raises:
            AnswerError: it defines anew what the module has.
        """
        whole = merged(request.existing, code)
        usage = request.caller_context.usage_example
        reasons = self.policy.refusals(whole, request.names, usage) or errors_in(whole)
        if not reasons and self._trial:
            failure = failures_of(whole, request.module_path, self._paths, walls=self._walls, hidden=self._hidden)
            reasons = [failure] if failure else []
        return reasons
