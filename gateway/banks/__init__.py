"""Banks that take cards: eopayment behind a strict adapter."""
