"""Signing in and out, as a person does it."""

from playwright.sync_api import expect


def test_a_link_signs_in_once_and_the_button_signs_out(visit, link, place):
    url = link()
    page = visit()
    page.goto(place.admin.base_url)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(url)
    expect(page.get_by_role("heading", name="Runs", include_hidden=True).first).to_be_attached()
    assert "code" not in page.url
    assert page.evaluate("document.cookie") == ""

    second = visit()
    second.goto(url)
    expect(second.get_by_role("heading", name="This link does not sign in")).to_be_visible()
    expect(second.get_by_text("contexten dashboard --open")).to_be_visible()
