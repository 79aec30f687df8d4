"""`contexten dashboard`: a link, and where there is none."""

import httpx2
import pytest

pytestmark = pytest.mark.once


def test_a_link_signs_a_browser_in_whose_session_is_listed(live):
    made = live.json("dashboard")
    assert made["url"].startswith(f"{live.base_url}/?code=")
    assert httpx2.get(made["url"], headers={"Accept": "text/html"}, timeout=60).status_code == 303
    *_, newest = live("token", "list").stdout.splitlines()
    assert newest.split("\t")[1] == "ADMIN"
    assert newest.split("\t")[4].startswith("until 20")
    assert newest.split("\t")[5] == "dashboard"


def test_alone_it_prints_the_link_and_nothing_else(live):
    done = live("dashboard")
    assert done.stdout.startswith(f"{live.base_url}/?code=")
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_without_a_server_it_says_how_to_start_one(machine):
    done = machine("dashboard")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == "error: no server is running here. Start it: contexten up\n"
