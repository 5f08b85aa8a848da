"""How much of a product is left, and how that is told."""
