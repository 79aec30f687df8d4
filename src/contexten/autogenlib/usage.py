"""What was generated, for whom and what it cost: one line of JSON each, and reports and quotas made of those lines."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contexten.errors import QuotaError

if TYPE_CHECKING:
    from collections.abc import Iterator

GENERATED, FAILED = "generated", "failed"
_REASON = 500


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From a moment up to another; open where None."""

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def last(cls, days: float) -> TimeRange:
        """The last days up to now."""
        return cls(datetime.now(UTC) - timedelta(days=days))

    def __contains__(self, moment: datetime) -> bool:
        return (self.start is None or moment >= self.start) and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Figures of a time."""

    total_generations: int = 0
    total_cost: float = 0.0
    """US dollars, failed generations included, as far as prices are known."""
    most_used_modules: list[tuple[str, int]] = field(default_factory=list)
    """Modules with how often something was generated for each, the most often first."""
    cost_trends: list[tuple[str, float]] = field(default_factory=list)
    """Days (ISO 8601, UTC) with what each cost."""
    total_tokens: int = 0
    failed: int = 0

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "total_generations": self.total_generations, "total_cost": self.total_cost,
            "most_used_modules": [list(each) for each in self.most_used_modules],
            "cost_trends": [list(each) for each in self.cost_trends], "total_tokens": self.total_tokens, "failed": self.failed,
        }  # fmt: skip


class UsageTracker:
    """The record of generations, one line for each.

    Args:
        org_id: the organization whose records count; None for all of this user's.
        folder: where the record is kept, as `autogen.jsonl`; in memory alone without one.
    """

    def __init__(self, org_id: int | str | None = None, folder: str | os.PathLike[str] | None = None) -> None:
        self._org = None if org_id is None else str(org_id)
        self.path = None if folder is None else Path(folder) / "autogen.jsonl"
        self._lines: list[str] = []
        self._lock = threading.Lock()

    def record_generation(
        self,
        module_path: str,
        function_name: str,
        code_length: int,
        *,
        outcome: str = GENERATED,
        org_id: int | str | None = None,
        **facts: Any,
    ) -> None:
        """Write down a generation.

        Args:
            module_path: of which module.
            function_name: which names.
            code_length: characters of code.
            outcome: `generated` or `failed`.
            org_id: the organization of the run, when it is known.
            facts: `cost_usd`, `input_tokens`, `output_tokens`, `seconds`, `model`, `run_id`, `reason`, `spec`, `source`.
                Prompts, code and secrets have no place here.
        """
        if reason := facts.get("reason"):
            from contexten.telemetry.logs import hide_secrets

            facts["reason"] = hide_secrets(str(reason))[:_REASON]
        line = json.dumps({
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"), "org": self._org if org_id is None else str(org_id), "outcome": outcome,
            "module": module_path, "names": function_name, "code_length": code_length, **facts,
        }, ensure_ascii=False, default=str)  # fmt: skip
        with self._lock:
            if self.path is None:
                self._lines.append(line)
            else:
                _append(self.path, line)

    def get_usage_report(self, time_range: TimeRange | None = None) -> UsageReport:
        """What was generated in a time, and what it cost."""
        found = list(self._records(time_range or TimeRange()))
        made = [each for each in found if each["outcome"] == GENERATED]
        costs: Counter[str] = Counter()
        for each in found:
            costs[str(each["at"])[:10]] += each.get("cost_usd") or 0
        return UsageReport(
            total_generations=len(made),
            total_cost=sum(costs.values()),
            most_used_modules=Counter(str(each["module"]) for each in made).most_common(20),
            cost_trends=sorted((day, float(cost)) for day, cost in costs.items()),
            total_tokens=sum((each.get("input_tokens") or 0) + (each.get("output_tokens") or 0) for each in found),
            failed=len(found) - len(made),
        )

    def check_quota(self, max_generations: int, max_cost: float) -> None:
        """Refuse when the day (UTC) has used up what it may.

        Raises:
            QuotaError: it has.
        """
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        report = self.get_usage_report(TimeRange(today))
        asked = report.total_generations + report.failed
        if asked >= max_generations:
            raise QuotaError(
                f"{asked} generations were asked for today: CONTEXTEN_AUTOGEN_MAX_GENERATIONS allows no more."
            )
        if report.total_cost >= max_cost:
            raise QuotaError(
                f"Today's generations cost ${report.total_cost:.2f}: CONTEXTEN_AUTOGEN_MAX_COST allows no more."
            )

    def _records(self, time_range: TimeRange) -> Iterator[dict[str, Any]]:
        for line in self._all():
            try:
                record = json.loads(line)
                moment = datetime.fromisoformat(record["at"])
                belongs = self._org in {None, record["org"]} and moment in time_range
            except (ValueError, KeyError, TypeError):  # a line cut short by a full disk
                continue
            if belongs:
                yield record

    def _all(self) -> list[str]:
        if self.path is None:
            return list(self._lines)
        try:
            return self.path.read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return []


def _append(path: Path, line: str) -> None:
    """Add a line in one write, so that processes do not mix theirs; for the user's eyes alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode("utf-8", "replace"))
    finally:
        os.close(descriptor)
