"""How much one caller may send, and that nobody else waits meanwhile."""

import threading
import time
from itertools import count

import httpx2
import pytest

from running_server import running

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with running(tmp_path_factory.mktemp("sizes"), CONTEXTEN_MAX_BODY_BYTES=32 * MEGABYTE) as place:
        yield place


def nobody_waits(caller, work):
    """Whether `/health` takes less than ten seconds while `work` is done: once is enough, as the machine may stop."""
    return any(_slowest_health(caller, work) < 10 for _ in range(4))


def _slowest_health(caller, work):
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
    assert nobody_waits(place.admin, lambda: answers.append(post(place.admin, "/agent/run", body)))
    assert answers[0].status_code == 413
    assert "values" in answers[0].json()["message"]


def test_a_large_line_of_a_session_is_cut_and_its_log_can_be_read(place):
    admin, sessions = place.admin, count()
    line = b'{"log": {"type": "user", "text": "%s"}}' % (b"x" * 20 * MEGABYTE)

    def report_and_read():
        name = f"s{next(sessions)}"
        run_id = admin.http.post(admin.url("/claude_code/session"), json={"session_id": name}).json()["agent_run_id"]
        for _ in range(3):
            assert post(admin, f"/claude_code/session/{name}/log", line).status_code == 200
        page = admin.http.get(admin.url(f"/agent/run/{run_id}/logs"))
        assert len(page.content) < MEGABYTE
        assert page.json()["total_logs"] == 4
        assert "characters were too many to keep" in page.json()["logs"][-1]["observation"]["cut"]

    assert nobody_waits(admin, report_and_read)
