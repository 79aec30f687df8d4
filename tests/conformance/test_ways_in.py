"""The same question through every way in: the command line, curl, our clients; the same right answer each time."""

import asyncio
import json
import shutil
import subprocess
import sys

from contexten import Agent, AsyncCodegenClient, CodegenClient
from interpreters import missing

QUESTION = "Where is refund_order defined and who uses it?"


def is_right(answer):
    return "shop/refunds.py:4" in answer and "shop/checkout.py:8" in answer


def test_the_command_line(live):
    done = subprocess.run(
        [sys.executable, "-m", "contexten", "run", QUESTION, "--repo", str(live.home / "shop-project")],
        env=live.environment, cwd=live.home, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert is_right(done.stdout)
    assert "plan " in done.stdout


def test_curl(live):
    curl = shutil.which("curl") or missing("curl is not installed. Install Debian's package: curl")
    base = f"{live.base_url}/v1/organizations/1/agent/run"

    def ask(*arguments):
        done = subprocess.run(
            [curl, "-sS", "--fail-with-body", "-K", "-", *arguments],
            input=f'header = "Authorization: Bearer {live.token}"', capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    made = json.loads(ask("-H", "Content-Type: application/json", "-d", json.dumps({"prompt": QUESTION}), base))
    stream = ask("-N", f"{base}/{made['id']}/events")
    assert stream.count("event: log") >= 4
    assert stream.count('"status":"COMPLETE"') == 1
    assert is_right(json.loads(ask(f"{base}/{made['id']}"))["result"])


def test_our_client_streams_and_ends_by_itself(live):
    with CodegenClient(live.token, 1, live.base_url) as client:
        run = client.run(QUESTION)
        kinds = [entry.message_type for entry in run.stream()]
        assert kinds[0] == "USER_MESSAGE"
        assert kinds[-1] == "FINAL_ANSWER"
        assert run.status == "COMPLETE"
        assert is_right(run.result)


def test_the_documented_snippet_of_the_run_management_document(live):
    with CodegenClient(live.token, 1, live.base_url) as client:
        run = client.create_agent_run("Write a hello world function")
        logs = client.get_agent_run_logs(run["id"])
        assert [f"[{log['message_type']}] {log.get('thought', '')}" for log in logs["logs"]]
        client.task(run["id"]).wait(150)
        resumed = client.resume_agent_run(run["id"], "Where is cancel defined?")
        assert resumed["id"] == run["id"]
        task = client.task(run["id"]).wait(150)
        assert "shop/checkout.py:6" in task.result


def test_asked_to_write_code_it_says_what_it_needs(live):
    run = Agent(live.token, 1, live.base_url).run("Add retry to refund_order").wait(150)
    assert run.status == "FAILED"
    assert "needs a model" in run.result
    assert "shop/refunds.py" in run.result


def test_our_asynchronous_client(live):
    async def main():
        async with AsyncCodegenClient(live.token, 1, live.base_url) as client:
            runs = [await client.run(QUESTION) for _ in range(3)]
            return [await run.wait(150) for run in runs]

    assert all(is_right(run.result) for run in asyncio.run(main()))
