"""How fast numberdrop is, and in how much memory, beside other ways to do the same; never deployed."""
