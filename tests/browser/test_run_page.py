"""A run's page: a log that is followed or stays where the reader is, changes, and text that would like to be more."""

import json
import re

import pytest
from playwright.sync_api import expect

from contexten.dashboard.hosting.front import dashboard
from editing_engine import Editing
from running_server import running
from waiting import until

WIDE = "W" * 300_000


@pytest.fixture(scope="module")
def place(tmp_path_factory, bundle):
    folder = tmp_path_factory.mktemp("dashboard")
    editing = Editing(folder / "data")
    with running(folder, front=dashboard, more_engines=[editing], CONTEXTEN_MAX_BODY_BYTES=2_000_000) as place:
        yield place


class Session:
    """A reported session: a run whose log the test writes line by line."""

    def __init__(self, place, name):
        self._http, self._name = place.admin.http, name
        self._url = place.admin.url("/claude_code/session")
        self.run_id = self._http.post(self._url, json={"session_id": name}).json()["agent_run_id"]

    def say(self, *lines):
        for line in lines:
            log = {"message_type": "ACTION", "tool_name": "read", "thought": line} if isinstance(line, str) else line
            assert self._http.post(f"{self._url}/{self._name}/log", json={"log": log}).is_success

    def end(self):
        assert self._http.post(f"{self._url}/{self._name}/status", json={"status": "COMPLETE"}).is_success


def scrolled(page):
    return page.locator("#log").evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight")


def first_seen(page):
    return page.locator("#log").evaluate(
        """box => { const top = box.getBoundingClientRect().top;
            const row = [...box.querySelectorAll('[data-position]')].find(row => row.getBoundingClientRect().bottom > top);
            return [row.dataset.position, Math.round(row.getBoundingClientRect().top - top)]; }"""
    )


def test_a_log_is_followed_until_the_reader_scrolls_away(enter, place):
    session = Session(place, "follow")
    session.say(*(f"line {number}" for number in range(250)))
    page = enter(f"/runs/{session.run_id}")
    expect(page.locator(".row").last).to_contain_text("line 249")
    assert page.locator(".row").count() == 100
    session.say("the newest")
    expect(page.locator(".row").last).to_contain_text("the newest")
    until(lambda: scrolled(page) < 2)

    page.locator("#log").hover()
    page.mouse.wheel(0, -900)
    expect(page.locator("#log")).to_have_attribute("data-follow", "false")
    place_before = first_seen(page)
    session.say("while away 1", "while away 2")
    expect(page.locator(".newest")).to_contain_text("2 newer")
    assert first_seen(page) == place_before

    page.locator("#log").evaluate("box => box.scrollTop = 0")
    page.get_by_role("button", name="Earlier entries").click()
    until(lambda: page.locator(".row").count() >= 200)  # a hundred more, beside the newest hundred and what came since
    page.locator(".newest").click()
    expect(page.locator(".row").last).to_contain_text("while away 2")
    session.end()
    expect(page.locator(".run-head .status")).to_have_text("complete")
    until(lambda: scrolled(page) < 2)


def test_hostile_and_huge_entries_are_text_and_fold(enter, place):
    session = Session(place, "hostile")
    fetched = []
    session.say(
        "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">",
        {
            "message_type": "FINAL_ANSWER",
            "thought": "<b>no</b> **yes** ![x](/pixel.png) [a](javascript:document.title='pwned') [b](https://e.com)",
        },
        {"message_type": "ACTION", "tool_name": "cat", "thought": "wide", "tool_output": {"text": WIDE}},
        {"message_type": "ERROR", "thought": "it broke"},
        WIDE,
    )
    page = enter(f"/runs/{session.run_id}")
    page.on("request", lambda request: fetched.append(request.url))
    expect(page.locator(".row.answer strong")).to_have_text("yes")
    expect(page.locator(".row.answer")).to_contain_text("<b>no</b>")
    assert page.locator(".row img, .row script, .row b").count() == 0
    assert page.locator(".row.answer a").evaluate_all("links => links.map(a => [a.href, a.rel])") == [
        ["https://e.com/", "noopener noreferrer nofollow"]
    ]
    expect(page.locator(".row.error")).to_contain_text("it broke")
    page.get_by_role("button", name="More of read").last.click()
    expect(page.get_by_text(re.compile(r"more characters: contexten runs logs")).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200
    expect(page).to_have_title(re.compile("^Run "))
    assert not [url for url in fetched if "pixel" in url]


def test_changes_are_shown_with_the_command_that_takes_them(enter, place):
    run = place.admin.finished(json.dumps({"src/new file.py": "print('<b>')\n" * 3}), engine="editing")
    page = enter(f"/runs/{run['id']}")
    page.get_by_role("button", name=re.compile(r"^Changes · 1 file, \+3")).click()
    expect(page.locator(".diff .add").first).to_have_text("+print('<b>')")
    expect(page.get_by_text(f"contexten runs apply {run['id']}")).to_be_visible()
    page.get_by_role("button", name="src/new file.py").click()
    expect(page.locator(".diff")).to_have_count(0)


def test_a_run_that_is_not_there_or_goes_away_says_so(enter, place):
    page = enter("/runs/99999")
    expect(page.get_by_text("There is no run 99999")).to_be_visible()
    run = place.admin.finished("to be deleted")
    page.goto(f"{place.admin.base_url}/runs/{run['id']}")
    expect(page.locator(".row.answer")).to_be_visible()
    place.admin.http.delete(place.admin.url(f"/agent/run/{run['id']}"))
    expect(page.get_by_text(f"There is no run {run['id']}")).to_be_visible()


def test_a_workflow_waits_for_a_person_and_goes_on_by_itself(enter, place):
    tasks = [
        {"id": "build", "role": "code_generation", "prompt": "build", "engine": "echo"},
        {
            "id": "ship",
            "role": "testing",
            "prompt": "ship",
            "engine": "echo",
            "dependencies": ["build"],
            "approval": True,
        },
    ]
    made = place.admin.http.post(
        place.admin.url("/workflows"), json={"id": "r", "name": "Release", "tasks": tasks}
    ).json()
    page = enter(f"/workflows/{made['id']}")
    page.get_by_role("button", name="Approve ship").click()
    expect(page.locator(".head-line .status")).to_have_text("complete")
    page.get_by_role("link", name="ship").click()
    expect(page.locator(".row.answer")).to_be_visible()
