"""Waiting for what happens, however fast or slow the machine is."""

import time


def until(look, done=bool, seconds=150):
    """Look until it is as it should be, and give back what was seen."""
    deadline = time.monotonic() + seconds
    while not done(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found
