"""What runs changed, in the store: one diff for each run, of its newest turn, gone with the run."""

import pytest

from contexten.engines.changes import Changes, FileChange
from contexten.server.store.errors import NotThereError

pytestmark = pytest.mark.anyio
FILES = (FileChange("é.py", "renamed", 1, 2, previous="e.py"), FileChange("x.bin", "added", binary=True, omitted=True))
CHANGES = Changes("diff --git a/é.py b/é.py\r\n+\t✓\n", FILES, 1, 2, truncated=True)


async def test_what_is_kept_is_what_is_read(store, people):
    run, _ = await store.runs.create(people.run("edit"))
    empty = await store.diffs.get(1, run.id)
    assert (empty.turn, empty.branch, empty.changes) == (1, "", Changes())
    assert await store.diffs.keep(run.id, 1, "contexten/run-1", CHANGES)
    found = await store.diffs.get(1, run.id)
    assert (found.run_id, found.turn, found.branch, found.changes) == (run.id, 1, "contexten/run-1", CHANGES)
    later = Changes("", (), 0, 0)
    assert await store.diffs.keep(run.id, 2, "contexten/run-1", later)
    assert (await store.diffs.get(1, run.id)).changes == later


async def test_it_is_nobody_elses_and_goes_with_the_run(store, people):
    run, _ = await store.runs.create(people.run("edit"))
    await store.diffs.keep(run.id, 1, "", CHANGES)
    with pytest.raises(NotThereError):
        await store.diffs.get(2, run.id)
    await store.runs.cancel(1, run.id)
    await store.runs.delete(1, run.id)
    with pytest.raises(NotThereError):
        await store.diffs.get(1, run.id)
    assert not await store.diffs.keep(run.id, 1, "", CHANGES)
