"""From the basket to the order."""

from shop.payments.refunds import refund_order


def cancel(account: str, cents: int) -> str:
    """Cancel an order and give its money back."""
    return refund_order(account, cents)
