"""A small shop to ask about, as files, with or without git; and a journal that keeps what an engine writes."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

from contexten.engines import Task
from contexten.protocol import LogEntry

SHOP = {
    "README.md": """\
# Shop

[![build](https://img.example/badge.svg)](https://ci.example)

A small web shop that takes orders, charges cards and gives money back.

## Development

Run `make test`.
""",
    "pyproject.toml": """\
[project]
name = "shop"
dependencies = ["requests>=2", "attrs"]
scripts = { shop = "shop.cli:main" }

[tool.pytest.ini_options]
testpaths = ["tests"]
""",
    "Makefile": "test:\n\tpytest\n\nserve:\n\tpython -m shop\n",
    "settings.yml": "currency: EUR\nmessage: sold out for now\n",
    "shop/__init__.py": '"""Orders and payments."""\n',
    "shop/__main__.py": "from shop.cli import main\n\nmain()\n",
    "shop/errors.py": '''\
"""What can go wrong in the shop."""


class ShopError(Exception):
    """Any error of the shop."""


class PaymentError(ShopError):
    """A payment did not work."""


class GatewayTimeoutError(PaymentError):
    """The gateway did not answer."""


class OutOfStockError(ShopError):
    """There is none left."""
''',
    "shop/payments/__init__.py": "",
    "shop/payments/gateway.py": '''\
"""Talks to the card gateway."""

from shop.errors import GatewayTimeoutError

DEFAULT_TIMEOUT = 10.0


class Gateway:
    """A connection to the card gateway."""

    def __init__(self, url: str, timeout: float = DEFAULT_TIMEOUT) -> None:
        self.url = url
        self.timeout = timeout

    def send(self, kind: str, amount: int) -> str:
        """Send a request and give back its receipt."""
        if not self.url:
            raise GatewayTimeoutError("no answer")
        return f"{kind}-{amount}"
''',
    "shop/payments/refunds.py": '''\
"""Gives money back."""

import logging

from shop.errors import PaymentError
from shop.payments.gateway import Gateway

log = logging.getLogger(__name__)
MAX_AMOUNT = 5_000


def refund_order(gateway: Gateway, order_id: int, amount: int = 0) -> str:
    """Give the money for an order back.

    Raises PaymentError for more than the shop may give back.
    """
    if amount > MAX_AMOUNT:
        raise PaymentError(f"{amount} is too much")
    log.info("refund %s", order_id)
    return gateway.send("refund", amount)


def refund_all(gateway: Gateway, orders: list[int]) -> list[str]:
    """Give the money for several orders back."""
    return [refund_order(gateway, order, 10) for order in orders]
''',
    "shop/payments/charges.py": '''\
"""Takes money."""

import functools

from shop.errors import PaymentError
from shop.payments.gateway import Gateway


def retry(times):
    """Call a function again when the payment fails."""

    def decorate(function):
        @functools.wraps(function)
        def again(*args):
            for attempt in range(times):
                try:
                    return function(*args)
                except PaymentError:
                    if attempt == times - 1:
                        raise

        return again

    return decorate


@retry(times=3)
def charge(gateway: Gateway, amount: int) -> str:
    return gateway.send("charge", amount)
''',
    "shop/orders.py": '''\
"""Keeps orders."""

from shop.errors import OutOfStockError, PaymentError
from shop.payments.charges import charge
from shop.payments.refunds import refund_order


class Basket:
    """What a customer has chosen."""

    def __init__(self) -> None:
        self.items: list[str] = []

    def add(self, item: str) -> None:
        """Put an item in."""
        if item == "moon":
            raise OutOfStockError("sold out for now")  # TODO: ask the warehouse
        self.items.append(item)

    def total(self) -> int:
        return 100 * len(self.items)


def place_order(basket: Basket, gateway) -> str:
    """Charge for a basket."""
    return charge(gateway, basket.total())


def cancel_order(order_id: int, gateway) -> bool:
    """Cancel an order and give the money back."""
    try:
        refund_order(gateway, order_id)
    except PaymentError:
        return False
    return True
''',
    "shop/cli.py": '''\
"""The command line."""

import sys

import requests

from shop.orders import cancel_order
from shop.payments.gateway import Gateway
from shop.payments.refunds import refund_order


def main() -> None:
    """Refund or cancel what the arguments name."""
    gateway = Gateway(requests.get("https://shop.example").url)
    for argument in sys.argv[1:]:
        cancel_order(int(argument), gateway)
    refund_order(gateway, 1)
''',
    "tests/test_refunds.py": """\
from shop.payments.gateway import Gateway
from shop.payments.refunds import refund_order


def test_refund_gives_a_receipt():
    assert refund_order(Gateway("x"), 1, 5) == "refund-5"


def test_basket_is_not_tested_here():
    assert True
""",
}


class Journal:
    """Keeps entries as a store does: by key, each once."""

    def __init__(self):
        self.written = {}
        self.shown = []
        self.on_partial = lambda: None
        self.spent = None

    async def add(self, entry, *, key):
        if key in self.written:
            return False
        as_stored = json.loads(entry.model_dump_json())
        self.written[key] = LogEntry(agent_run_id=1, **as_stored)
        return True

    async def entries(self):
        return dict(self.written)

    def partial(self, text):
        self.shown.append(text)
        self.on_partial()

    def spend(self, usage):
        self.spent = usage

    @property
    def tools(self):
        return [entry.tool_name for entry in self.written.values() if entry.tool_name]


def task(workspace, prompt, **more):
    plain = Task(run_id=1, organization_id=1, turn=1, prompt=prompt, workspace=workspace, repo_name=workspace.name)
    return replace(plain, **more)


def make_project(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def git(folder: Path, *arguments: str) -> str:
    who = {
        "GIT_AUTHOR_NAME": "Ann",
        "GIT_AUTHOR_EMAIL": "a@b.c",
        "GIT_COMMITTER_NAME": "Ann",
        "GIT_COMMITTER_EMAIL": "a@b.c",
    }
    environment = os.environ | who | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", "-C", folder, *arguments], check=True, capture_output=True, text=True, env=environment
    ).stdout


def commit_all(folder: Path, message: str) -> None:
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", message)
