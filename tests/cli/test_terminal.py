"""On a terminal: colours, a moving line while waiting, questions; and nothing from outside that could steer it."""

import os
import pty
import re
import select
import signal
import struct
import time
from fcntl import ioctl
from termios import TIOCSWINSZ

import httpx2
import pytest

pytestmark = pytest.mark.once

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]|\r|\x1b\].*?\x07")
SECONDS = 150


class Screen:
    """A pseudo terminal with the program on it."""

    def __init__(self, machine, *words, columns=100):
        self.master, slave = pty.openpty()
        ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        machine.extra["TERM"] = "xterm-256color"
        self.process = machine.start(*words, stdin=slave, stdout=slave, stderr=slave)
        del machine.extra["TERM"]
        os.close(slave)
        self.shown = ""

    def read(self, until=None):
        """Everything shown up to a text, or to the program's end."""
        deadline = time.monotonic() + SECONDS
        while until is None or until not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if not select.select([self.master], [], [], 1)[0]:
                continue
            try:
                more = os.read(self.master, 4096)
            except OSError:  # the last process on the terminal has ended
                more = b""
            if not more:
                self.process.wait(SECONDS)
                break
            self.shown += more.decode(errors="replace")
        return self.shown

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        os.close(self.master)
        self.process.terminate()
        self.process.wait(SECONDS)


@pytest.fixture
def screen(live):
    opened = []

    def on(*words, **options):
        opened.append(Screen(live, *words, **options))
        return opened[-1]

    yield on
    for each in opened:
        each.close()


def plain(text):
    return STEERING.sub("", COLOUR.sub("", text))


def test_a_run_is_shown_in_colour(screen):
    shown = screen("run", "Who calls refund_order?").read()
    assert "\x1b[36mplan      \x1b[0m" in shown
    assert "\x1b[32mcomplete\x1b[0m" in shown
    assert "shop/checkout.py:8" in plain(shown)
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")


def test_an_answer_is_wrapped_between_words(screen):
    shown = plain(screen("run", "Who calls refund_order, and is it retried?", columns=60).read())
    answer = shown.partition("  answer  ")[2].splitlines()[1:-2]
    assert max(map(len, answer)) <= 60
    assert "has no retry decorator, no retry call and no loop around" in " ".join(line.strip() for line in answer)


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("runs", "shwo"), ("runs", "show", "999")])
def test_no_word_is_broken_on_a_narrow_terminal(screen, words):
    shown = plain(screen(*words, columns=60).read())
    assert max(map(len, shown.splitlines())) <= 60


def test_the_banner_ends_with_a_link_that_signs_in_once(machine):
    terminal = Screen(machine, "up", "--port", "0", columns=120)
    try:
        link = re.search(r"  open      (http://\S+)  one-time sign-in", plain(terminal.read("one-time sign-in")))[1]
        statuses = [httpx2.get(link, headers={"Accept": "text/html"}, timeout=60).status_code for _ in range(2)]
        assert statuses == [303, 401]
    finally:
        terminal.process.send_signal(signal.SIGTERM)
        terminal.read()
        terminal.close()


def test_colour_can_be_declined(live, screen):
    live.extra["NO_COLOR"] = "1"
    try:
        shown = screen("runs", "list").read()
    finally:
        del live.extra["NO_COLOR"]
    assert not COLOUR.search(shown)


def test_a_table_fits_the_width(live, screen):
    live("run", f"Find the text '{'long ' * 60}'")
    shown = plain(screen("runs", "list", columns=70).read())
    assert max(len(line) for line in shown.splitlines()) <= 70
    assert "…" in shown


def test_what_a_run_says_cannot_steer_the_terminal(live, screen, tmp_path):
    (tmp_path / "evil.py").write_text('TITLE = "\x1b]0;owned\x07\x1b[2J \x9b31m needle"\n')
    for words in (("run", "Find the text 'needle'", "--repo", str(tmp_path)), ("runs", "search", "needle")):
        shown = COLOUR.sub("", screen(*words).read())
        assert "needle" in shown
        assert "\x1b]0;" not in shown
        assert "\x1b[2J" not in shown
        assert "\x9b" not in shown


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("n\n", False)])
def test_it_asks_before_it_writes(live, screen, answer, written):
    path = live.home / ".codegen" / "auth.json"
    path.unlink(missing_ok=True)
    asked = screen("env", "--write-cli-auth")
    asked.read(until="[y/N]")
    asked.type(answer)
    asked.read()
    assert path.exists() is written


def test_ctrl_c_on_a_terminal_leaves_the_cursor_visible(screen):
    following = screen("runs", "logs", "1", "--follow")
    following.read()
    server = screen("up", "--port", "0")
    server.read(until="already running")
    assert server.process.wait(SECONDS) == 1


def test_names_and_paths_cannot_steer_the_terminal(screen, tmp_path):
    folder = tmp_path / "evil\x1b]0;owned\x07\x9b31m"
    folder.mkdir()
    for words in (("repos", "add", str(folder)), ("repos", "list"), ("repos", "list", "--json")):
        shown = COLOUR.sub("", screen(*words).read())
        assert "evil" in shown
        assert "\x1b]0;" not in shown
        assert "\x9b" not in shown
