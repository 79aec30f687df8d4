"""What the support desk does."""

from shop.payments.gateway import Declined
from shop.payments.refunds import refund_order


class Ticket:
    """A customer's complaint."""

    def __init__(self, account: str, cents: int) -> None:
        self.account = account
        self.cents = cents

    def settle(self) -> str | None:
        """Give the money back, or leave the ticket open when the bank says no."""
        try:
            return refund_order(self.account, self.cents)
        except Declined:
            return None
