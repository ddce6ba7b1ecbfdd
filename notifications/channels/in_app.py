"""The portal itself: its inbox and its subscriptions read the news where it was written."""

from notifications.channels import Delivery, Receipt


class InApp:
    """Nothing is left to be done: what was committed is in the family's inbox and went out to its subscriptions."""

    limit = 16
    patience = 0.1
    interrupts = False

    async def send(self, delivery: Delivery) -> Receipt:
        """Acknowledge; the news became visible with the very transaction that ordered this delivery."""
        return Receipt("inbox", arrived=True)

    async def close(self) -> None:
        """Nothing is open."""
