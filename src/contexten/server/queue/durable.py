"""The port to DBOS: durable turns in, a call per turn out. Only this file and `durable_setup.py` know DBOS.

DBOS keeps one instance per process and changes the default executor of an event loop that it adopts. So it is launched
from a thread that has no loop: its bookkeeping stays on a loop and on threads of its own, and only the call that does
the turn comes over to ours.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from contexten.errors import UsageError
from contexten.server.queue.durable_setup import APPLICATION_VERSION, configuration, prepare
from contexten.server.queue.file_faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
    from concurrent.futures import Future

    from dbos import DBOS

POLL = 1.0
"""Seconds between two looks at a queue that nobody rang for: the delay of work that another process enqueued."""
PRUNE_BATCH = 500
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A turn that waits for an engine."""

    run_id: int
    turn: int
    engine: str

    @property
    def workflow_id(self) -> str:
        """The name under which the turn is durable."""
        return f"run-{self.run_id}-{self.turn}"


class Durable:
    """Durable turns, while it is open. One at a time in a process.

    Args:
        url: SQLAlchemy address of the database that keeps the turns: a SQLite file or a PostgreSQL database.
        worker_id: name of this process among the workers; stable over restarts.
        limits: turns that this process does at a time, by engine.
        work: begins to do a turn and answers at once; the future is done when the turn has ended. Called on a thread.
    """

    def __init__(
        self, url: str, worker_id: str, limits: Mapping[str, int], work: Callable[[Waiting], Future[None]]
    ) -> None:
        self._url = url
        self._worker_id = worker_id
        self._limits = dict(limits)
        self.work = work
        self._bells: dict[str, _Bell] = {}
        self._threads: list[threading.Thread] = []
        self._dbos: DBOS | None = None
        self._faults = Faults()

    def reserve(self) -> None:
        """Make this the queue of this process, before it is opened.

        Raises:
            UsageError: another queue is open in this process.
        """
        global _open  # noqa: PLW0603 - DBOS is process-global, and so is this
        with _lock:
            if _open is not None and _open is not self:
                raise UsageError("This process already runs a queue. Stop that server first, or use another process.")
            _open = self

    def open(self) -> None:
        """Launch DBOS, take up again what a crash of this worker left, and begin to give out work. Blocks.

        Raises:
            UsageError: another queue is open in this process.
        """
        self.reserve()
        try:
            self._launch()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop giving out work and shut DBOS down; turns that have not ended stay for the next start. Blocks."""
        global _open  # noqa: PLW0603 - see reserve
        with _lock:
            if _open is not self:
                return
        from dbos import DBOS

        self._silence()
        DBOS.destroy()
        self._dbos = None
        with _lock:
            _open = None

    def silence(self) -> None:
        """Give out no more work."""
        for bell in self._bells.values():
            bell.set()

    def enqueue(self, turns: Iterable[Waiting]) -> None:
        """Put turns into the queues of their engines; one that is there, or has ended, is left as it is. Blocks."""
        from dbos import DBOS, SetWorkflowID

        workflow = _workflow()
        engines = set()
        for waiting in turns:
            with SetWorkflowID(waiting.workflow_id):
                DBOS.enqueue_workflow(waiting.engine, workflow, waiting.run_id, waiting.turn, waiting.engine)
            engines.add(waiting.engine)
        for engine in engines:
            self.ring(engine)

    def reconcile(self, turns: Iterable[Waiting], *, alone: bool) -> None:
        """Enqueue turns that the store wants done and that have no workflow, or one that ended. Blocks.

        That happens when the queue's tables were deleted or are older than the store's. With `alone`, when no other
        worker can be doing them, so are those whose workflow is of another version.
        """
        from dbos import DBOS

        by_id = {waiting.workflow_id: waiting for waiting in turns}
        for ids in _batches(list(by_id)):
            found = DBOS.list_workflows(workflow_ids=ids, load_input=False, load_output=False)
            stale = [
                w.workflow_id for w in found if w.status in _ENDED or (alone and w.app_version != APPLICATION_VERSION)
            ]
            DBOS.delete_workflows(stale)
            missing = set(ids) - {w.workflow_id for w in found} | set(stale)
            self.enqueue(by_id[name] for name in ids if name in missing)
        self._ring_all()

    def take_over(self, worker_ids: list[str]) -> int:
        """Queue again what workers that died had under way; returns how many turns. Blocks.

        A turn whose worker has changed since is left alone, so any number of workers may do this at once.
        """
        from dbos import DBOS

        taken = len(DBOS._recover_pending_workflows(worker_ids))  # noqa: SLF001 - the public way does not check the worker
        self._ring_all()
        return taken

    def check(self) -> None:
        """Raise what keeps turns from being given out.

        Raises:
            StoreUnavailableError: the file of the queue could not be written a moment ago.
        """
        self._faults.check()

    def prune(self, older_than: timedelta) -> int:
        """Delete workflows that ended longer ago than this, a batch of them; returns how many. Blocks."""
        from dbos import DBOS

        before = (datetime.now(UTC) - older_than).isoformat()
        ended = DBOS.list_workflows(
            status=_ENDED, completed_before=before, limit=PRUNE_BATCH, load_input=False, load_output=False
        )
        DBOS.delete_workflows([workflow.workflow_id for workflow in ended])
        return len(ended)

    def _ring_all(self) -> None:
        for bell in self._bells.values():
            bell.ring()

    def _launch(self) -> None:
        from dbos import DBOS
        from dbos._queue import queue_worker_thread

        prepare()
        _workflow()
        self._dbos = DBOS(config=configuration(self._url, self._worker_id))
        DBOS.listen_queues([])  # ours are listened to by the threads below, which can be rung
        DBOS.launch()
        if self._url.startswith("sqlite"):
            self._faults.watch(self._dbos._sys_db.engine)  # noqa: SLF001 - DBOS only logs what its threads meet, and goes on
        for engine, limit in self._limits.items():
            queue = DBOS.register_queue(
                engine, worker_concurrency=limit, polling_interval_sec=POLL, on_conflict="always_update"
            )
            bell = self._bells[engine] = _Bell()
            thread = threading.Thread(
                target=queue_worker_thread, args=(bell, self._dbos, queue), name=f"queue-{engine}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def _silence(self) -> None:
        self.silence()
        for thread in self._threads:
            thread.join()
        self._bells.clear()
        self._threads.clear()

    def ring(self, engine: str) -> None:
        """Look at a queue now: there may be work and room."""
        if engine in self._bells:
            self._bells[engine].ring()


class _Bell(threading.Event):
    """The stop event of a queue's thread, which also ends a wait early when there is work."""

    def __init__(self) -> None:
        super().__init__()
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def set(self) -> None:
        super().set()
        self._rung.set()

    def wait(self, timeout: float | None = None) -> bool:
        self._rung.wait(timeout)
        self._rung.clear()
        return self.is_set()


_lock = threading.Lock()
_open: Durable | None = None


@functools.cache
def _workflow() -> Callable[[int, int, str], Coroutine[Any, Any, None]]:
    """The one workflow; registered once in a process, because DBOS's registry outlives its instances."""
    from dbos import DBOS

    @DBOS.workflow(name="turn", max_recovery_attempts=None)
    async def turn(run_id: int, turn: int, engine: str) -> None:
        durable, task = _open, asyncio.current_task()
        if durable is None or task is None:
            raise asyncio.CancelledError
        task.add_done_callback(lambda _: durable.ring(engine))
        begun = contextvars.Context().run(durable.work, Waiting(run_id, turn, engine))
        await asyncio.wrap_future(begun)

    return turn


def _batches(names: list[str]) -> Iterator[list[str]]:
    return (names[at : at + PRUNE_BATCH] for at in range(0, len(names), PRUNE_BATCH))
