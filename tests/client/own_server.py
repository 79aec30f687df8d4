"""Contexten's own server with engines that do as they are told, and clients for it."""

from contexten import CodegenClient
from contexten.engines import Availability, Engines, Outcome
from contexten.protocol import NewLogEntry, RunStatus
from contexten.resilience import Policy
from contexten.server.serve import Embedded
from fault_proxy import FakeClock
from running_server import Echo, Held, settings_for


class Chatty:
    """Says many things, with line ends and characters of several bytes in them."""

    name = "chatty"
    concurrency = None

    def availability(self):
        return Availability(ready=True, detail="1")

    async def run(self, task, journal):
        for number in range(12):
            await journal.add(
                NewLogEntry(message_type="ACTION", thought=f"{number}\r\n\n☃ id: {number}"), key=str(number)
            )
        return Outcome(RunStatus.COMPLETE, "said")


class Wordy:
    """Says one thing that is longer than an entry may be, and answers at such length."""

    name = "wordy"
    concurrency = None

    def availability(self):
        return Availability(ready=True, detail="1")

    async def run(self, task, journal):
        await journal.add(NewLogEntry(message_type="ACTION", thought="\x01😀" * 300_000), key="long")
        return Outcome(RunStatus.COMPLETE, "\x01😀" * 300_000)


def embedded(folder):
    return Embedded(settings_for(folder), engines=Engines([Echo(), Held(), Chatty(), Wordy()]))


def connect(server, base_url=None, **options):
    return CodegenClient(server.token, server.organization_id, base_url or server.base_url, **options)


def fast():
    return Policy(clock=FakeClock())
