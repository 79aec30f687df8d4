"""The list of runs as people use it: with a mouse, with keys, in the dark, on a phone, and when the server goes away."""

import re

import pytest
from playwright.sync_api import expect

HOSTILE = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script> **bold** \x1b[31m"


@pytest.fixture(scope="module")
def made(place):
    """Runs of each kind, one of them with a prompt that would like to be more than text."""
    for number in range(24):
        place.admin.finished(f"zebra number {number}")
    return place.admin.finished(HOSTILE), place.admin.create("held at work", engine="held")


def title_of(page, run):
    return page.locator(f'article[aria-label^="Run {run["id"]},"] .card-title')


def test_a_run_is_begun_and_watched_to_its_end(page, place):
    page.get_by_label("What is to be done?").fill("Say **hello**")
    page.get_by_label("Engine", exact=True).first.select_option("echo")
    page.get_by_role("button", name="Start").click()
    expect(page).to_have_url(re.compile(r"/runs/\d+$"))
    expect(page.locator(".row.answer strong")).to_have_text("hello")
    expect(page.locator(".run-head .status")).to_have_text("complete")
    expect(page).to_have_title(re.compile(r"Run \d+ complete"))


def test_new_runs_and_changes_of_status_appear_by_themselves(page, place, made):
    expect(page.locator(".card").first).to_be_visible()
    expect(page.locator(".connected")).to_have_text("Live")
    run = place.admin.create("from elsewhere", engine="held")
    card = page.locator(f'article[aria-label^="Run {run["id"]},"]')
    expect(card.locator(".status")).to_have_text("running")
    card.get_by_role("button", name="Cancel").click()
    expect(card.locator(".status")).to_have_text("cancelled")
    card.get_by_role("button", name="Delete").click()
    expect(card.get_by_role("button", name="Keep")).to_be_focused()
    card.get_by_role("button", name="Delete", exact=True).click()
    expect(card).to_have_count(0)


def test_filters_search_and_pages_are_in_the_address(page, place, made, enter):
    page.get_by_role("button", name="Going on").click()
    expect(page).to_have_url(re.compile("status=going"))
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_role("button", name="All").click()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("zebra 17")
    expect(page.locator(".card-title")).to_have_text(["zebra number 17"])
    page.get_by_role("button", name="Failed").click()
    expect(page.get_by_text("No run is like that.")).to_be_visible()
    page.go_back()
    expect(page.locator(".card-title")).to_have_text(["zebra number 17"])
    page.get_by_role("link", name="Runs").click()
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".turning .figure")).to_have_text(re.compile("^21 to "))
    shown = page.locator(".card-title").all_inner_texts()
    address = page.url.partition("?")[2]
    again = enter()
    again.goto(f"{place.admin.base_url}/?{address}")
    expect(again.locator(".turning .figure")).to_have_text(re.compile("^21 to "))
    assert again.locator(".card-title").all_inner_texts() == shown


def test_what_is_wrong_stands_beside_its_field(page):
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#prompt-wrong")).to_contain_text("The prompt is empty")
    expect(page.locator("#prompt")).to_be_focused()
    page.locator("#prompt").fill("x" * 20_000)
    page.get_by_label("Engine", exact=True).first.select_option("held")
    expect(page.locator("#engine-note")).to_contain_text("never ready")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#prompt-wrong")).to_contain_text("this server accepts 10000")


def test_what_a_prompt_contains_is_text(page, made):
    hostile, _ = made
    expect(title_of(page, hostile)).to_contain_text("<script>")
    title_of(page, hostile).click()
    expect(page.locator(".row.answer")).to_contain_text("<script>")
    assert page.locator(".row img, .row script, .asked img").count() == 0
    expect(page).to_have_title(re.compile("^Run "))


def test_everything_can_be_done_with_keys(page, made):
    expect(page.locator(".card").first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(".card-title").first).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("by keys alone")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".row.answer")).to_contain_text("by keys alone")
    page.keyboard.press("n")
    expect(page.locator("#next")).to_be_focused()
    page.keyboard.type("once more")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".row.answer")).to_have_count(2)


def test_colours_follow_the_system_until_they_are_chosen(enter):
    page = enter(color_scheme="dark")
    body, choice = page.locator("body"), page.locator("#colours")
    expect(choice).to_have_value("system")
    expect(body).to_have_css("background-color", "rgb(19, 20, 23)")
    choice.select_option("light")
    expect(body).to_have_css("background-color", "rgb(247, 247, 248)")
    page.reload()
    expect(body).to_have_css("background-color", "rgb(247, 247, 248)")
    expect(choice).to_have_value("light")


@pytest.mark.parametrize("path", ["/", "/runs/1", "/workflows", "/setup", "/settings", "/no/such/page"])
def test_nothing_is_wider_than_a_phone(enter, made, path):
    page = enter(path, viewport={"width": 390, "height": 844}, color_scheme="dark")
    expect(page.locator(".connected")).to_have_text("Live")
    expect(page.locator(".loading")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    unnamed = page.evaluate(
        """[...document.querySelectorAll('button, a, input, textarea, select')].filter(each => each.offsetParent
            && !(each.textContent.trim() || each.labels?.length || each.getAttribute('aria-label'))).length"""
    )
    assert unnamed == 0


def test_what_is_written_can_be_read(enter, made):
    """Contrast of small text against its ground, as WCAG 2.2 computes it, is at least 4.5 in both colour schemes."""
    for scheme in ("light", "dark"):
        page = enter(color_scheme=scheme)
        expect(page.locator(".card").first).to_be_visible()
        assert page.evaluate(CONTRAST) == [], scheme


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => { for (let e = element; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('.figure, .status, .nav, .button, .card-title, .label, code')].filter((e) => e.offsetParent && !e.disabled)
    .map((e) => { const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
      return [e.className, (a + 0.05) / (b + 0.05)]; }).filter(([, ratio]) => ratio < 4.5);
}"""


def test_a_session_that_ended_elsewhere_says_what_to_run(enter, place):
    page = enter()
    expect(page.locator(".connected")).to_have_text("Live")
    address = place.admin.base_url
    page.context.request.post(f"{address}/sign-out", headers={"Origin": address})
    page.get_by_role("button", name="Complete").click()
    expect(page.get_by_text("contexten dashboard --open")).to_be_visible()
