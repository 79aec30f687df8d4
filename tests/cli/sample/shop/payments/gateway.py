"""The bank."""


class Declined(Exception):  # noqa: N818
    """The bank said no."""


def transfer(account: str, cents: int) -> str:
    """Send money to an account and return the bank's reference."""
    if cents <= 0:
        raise Declined(account)
    return f"T-{account}-{cents}"
