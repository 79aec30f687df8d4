"""Signing in and out, as a person does it."""

import pytest
from playwright.sync_api import expect

from contexten.dashboard.hosting.bundle import Bundle


def is_in(page):
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def is_out(page):
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("contexten dashboard --open")).to_be_visible()


def test_a_link_signs_in_once_and_the_button_signs_out(visit, link, place):
    url = link()
    page = visit()
    page.goto(place.admin.base_url)
    is_out(page)
    page.goto(url)
    is_in(page)
    assert page.url == f"{place.admin.base_url}/"
    assert page.evaluate("document.cookie") == ""
    assert "ctx_" not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")

    second = visit()
    second.goto(url)
    expect(second.get_by_role("heading", name="This link does not sign in")).to_be_visible()

    page.goto(f"{place.admin.base_url}/settings")
    page.get_by_role("button", name="Sign out").click()
    is_out(page)
    assert not page.context.cookies()


def test_a_link_on_somebody_elses_page_leads_a_person_in_who_has_signed_in(enter, place):
    page = enter()
    is_in(page)
    elsewhere = f'<a href="{place.admin.base_url}/settings#here">the settings</a>'
    page.context.route(
        "http://elsewhere.example/", lambda route: route.fulfill(body=elsewhere, content_type="text/html")
    )
    page.goto("http://elsewhere.example/")
    page.get_by_role("link", name="the settings").click()
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()


def test_a_tab_that_waits_comes_in_when_another_has_signed_in(visit, link, place):
    waiting = visit()
    waiting.goto(place.admin.base_url)
    is_out(waiting)
    other = waiting.context.new_page()
    other.goto(link())
    is_in(other)
    waiting.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    is_in(waiting)


def test_an_open_page_says_that_its_session_was_revoked(enter, place):
    page = enter("/settings")
    is_in(page)
    tokens = place.admin.http.get(place.admin.url("/tokens")).json()
    newest = max(token["id"] for token in tokens if token["expires_at"])
    place.admin.http.delete(place.admin.url(f"/tokens/{newest}"))
    page.get_by_role("link", name="Engines").click()
    expect(page.get_by_text("contexten dashboard --open")).to_be_visible()


@pytest.mark.usefixtures("bundle")
def test_the_built_pages_are_of_the_states_that_answer_them():
    import reflex as rx

    from contexten.dashboard.app import app

    scripts = [path.read_text("utf-8") for path in (Bundle().client / "assets").glob("*.js")]
    with app.set_contexts():
        assert any(rx.State._to_frontend_schema() in script for script in scripts)
