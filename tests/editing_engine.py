"""An engine that changes files as its prompt says, and a server with it for tests that run the installed program."""

from __future__ import annotations

import asyncio
import json
import sys
import threading

from contexten.engines import Availability, Engines, Outcome
from contexten.engines.checkout import open_checkout
from contexten.engines.workspace import CHECKOUTS
from contexten.errors import EngineError
from contexten.protocol import NewLogEntry, RunStatus


class Editing:
    """The prompt is JSON: paths with their new text, or null to delete them; `end` says how the turn ends."""

    name = "editing"
    concurrency = None
    uses_model = False

    def __init__(self, data_dir):
        self._home = data_dir / CHECKOUTS
        self.may_end, self.ended = threading.Event(), threading.Event()

    def availability(self):
        return Availability(ready=True)

    async def run(self, task, journal):
        checkout = await open_checkout(task, self._home)
        wanted = json.loads(task.prompt)
        end = wanted.pop("end", "well")
        for name, text in wanted.items():
            path = checkout.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        await journal.add(NewLogEntry(message_type="ACTION", thought="edited"), key="edited")
        if end == "never":
            await asyncio.Event().wait()
        if end == "late":
            await self._late(checkout.root)
        if end == "badly":
            raise EngineError("It went badly.")
        return Outcome(RunStatus.COMPLETE, "edited")

    async def _late(self, root):
        """When told to end, do so once a test says so, and write to the copy even then."""
        try:
            await asyncio.Event().wait()
        finally:
            while not self.may_end.is_set():  # noqa: ASYNC110 - set on another thread
                await asyncio.sleep(0.01)
            root.mkdir(parents=True, exist_ok=True)
            (root / "late.py").write_text("late\n")
            self.ended.set()


def main():
    """Serve with the settings of the environment; says where when it is ready."""
    from contexten.server.serve import serve
    from contexten.settings import ServerSettings

    settings = ServerSettings()
    serve(settings, lambda started: print(started.base_url, flush=True), engines=Engines([Editing(settings.data_dir)]))


if __name__ == "__main__" and sys.argv[1:] == ["up"]:
    main()
