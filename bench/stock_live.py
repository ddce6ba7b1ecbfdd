"""The usual way of a subscription: one asynchronous generator and one queue a subscriber, fed by LISTEN."""
