"""How much one caller may send, and that nobody else waits meanwhile."""

import threading
import time

import httpx2
import pytest

from running_server import running

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with running(tmp_path_factory.mktemp("sizes"), CONTEXTEN_MAX_BODY_BYTES=32 * MEGABYTE) as place:
        yield place


def slowest_health(caller, work):
    """The longest that `/health` takes while `work` is done, in seconds."""
    done, times = threading.Event(), []

    def ask():
        with httpx2.Client(base_url=caller.base_url, timeout=60) as http:
            while not times or not done.is_set():
                began = time.monotonic()
                http.get("/health")
                times.append(time.monotonic() - began)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        work()
    finally:
        done.set()
        asking.join()
    return max(times)


def post(caller, path, body):
    return caller.http.post(caller.url(path), content=body, headers={"Content-Type": "application/json"}, timeout=60)


def test_only_a_request_with_images_may_be_large(place):
    body = b'{"prompt": "x", "name": "%s"}' % (b"x" * MEGABYTE)
    for path in ("/repos", "/tokens", "/claude_code/session", "/setup-commands/generate"):
        answer = post(place.admin, path, body)
        assert answer.status_code == 413
        assert "1048576 bytes" in answer.json()["message"]
    image = "data:image/png;base64," + "A" * (4 * MEGABYTE)
    assert place.admin.create("see", images=[image, image])["id"]


def test_a_body_of_many_values_is_refused_before_they_are_made(place):
    body = b'{"prompt": "x", "metadata": {"a": [' + b"[]," * (8 * MEGABYTE) + b"[]]}}"
    answers = []
    assert slowest_health(place.admin, lambda: answers.append(post(place.admin, "/agent/run", body))) < 10
    assert answers[0].status_code == 413
    assert "values" in answers[0].json()["message"]


def test_a_large_line_of_a_session_is_cut_and_its_log_can_be_read(place):
    admin = place.admin
    run_id = admin.http.post(admin.url("/claude_code/session"), json={"session_id": "s"}).json()["agent_run_id"]
    line = b'{"log": {"type": "user", "text": "%s"}}' % (b"x" * 20 * MEGABYTE)

    def report_and_read():
        for _ in range(3):
            assert post(admin, "/claude_code/session/s/log", line).status_code == 200
        page = admin.http.get(admin.url(f"/agent/run/{run_id}/logs"))
        assert len(page.content) < MEGABYTE
        assert page.json()["total_logs"] == 4
        assert "characters were too many to keep" in page.json()["logs"][-1]["observation"]["cut"]

    assert slowest_health(admin, report_and_read) < 10
