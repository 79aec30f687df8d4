"""Runs handed to a server that has only the hosted API: no event streams, and no agreement on repeated requests."""

import pytest
from pydantic import SecretStr

from contexten.engines.remote import RemoteEngine
from contexten.engines.remote.destination import MARK
from contexten.errors import EngineError
from contexten.protocol import NewLogEntry, RunStatus
from contexten.settings import ServerSettings
from engines.programs.fake_agents import Turns
from fault_proxy import Lose, Pass, Proxy
from hosted_server import ORG, TOKEN, Hosted, served
from shop_project import task

pytestmark = [pytest.mark.anyio, pytest.mark.once]


@pytest.fixture
def hosted():
    made = Hosted()
    made.script = ["one", "!COMPLETE"]
    with served(made.app) as made.base_url:
        yield made


@pytest.fixture
def hand_over(hosted, tmp_path):
    def begun(journal, prompt="Do it", base_url=hosted.base_url, **more):
        values = {
            "CONTEXTEN_DATA_DIR": tmp_path / "data",
            "CONTEXTEN_REMOTE_BASE_URL": base_url,
            "CONTEXTEN_REMOTE_TOKEN": SecretStr(TOKEN),
            "CONTEXTEN_REMOTE_REPO_ID": 7,
        }
        engine = RemoteEngine(ServerSettings(_env_file=None, **values))
        return engine.run(task(tmp_path, prompt, **more), journal)

    return begun


async def test_its_log_and_answer_are_brought_back_turn_by_turn(hand_over):
    journal = Turns()
    outcome = await hand_over(journal)
    assert (outcome.status, outcome.result) == (RunStatus.COMPLETE, "answer to Do it")
    assert [entry.thought for entry in journal.written.values()][2:] == ["one"]
    journal.next_turn()
    assert (await hand_over(journal, "More", turn=2)).result == "answer to More"
    assert [entry.thought for entry in journal.written.values()][2:] == ["again"]


async def test_a_lost_answer_is_looked_for_and_not_asked_for_again(hand_over, hosted):
    with Proxy(hosted.base_url, [Pass(), Lose()]) as proxy:  # which organization there is; the run
        outcome = await hand_over(Turns(), base_url=proxy.base_url)
        assert b"/agent/run " in proxy.requests[1]
    assert outcome.status == RunStatus.COMPLETE
    assert len(hosted.runs) == 1


async def intent(journal, name="abc"):
    noted = {"name": name, "via": ["me"], "repo_id": 7}
    await journal.add(NewLogEntry(message_type="ACTION", thought="Handing", tool_output=noted), key="intent")


async def test_a_run_made_before_a_crash_is_found_again(hand_over, hosted):
    journal = Turns()
    await hand_over(journal, metadata={"mine": 1})
    name = hosted.runs[1].metadata[MARK]["name"]
    again = Turns()
    await intent(again, name)
    assert (await hand_over(again, attempt=2)).status == RunStatus.COMPLETE
    assert list(hosted.runs) == [1]


async def test_what_may_have_been_made_is_not_made_again(hand_over, hosted):
    journal = Turns()
    await intent(journal)
    with pytest.raises(EngineError, match="not asked for a second time"):
        await hand_over(journal, attempt=2)
    assert not hosted.runs


async def test_several_organizations_are_not_guessed_from(hand_over, hosted):
    hosted.organizations_list = [ORG, 5]
    with pytest.raises(EngineError, match="CONTEXTEN_REMOTE_ORG_ID"):
        await hand_over(Turns())
