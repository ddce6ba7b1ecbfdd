"""What is told: the dispatcher, its channels, and the messages."""
