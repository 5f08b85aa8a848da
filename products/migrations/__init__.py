"""The migrations of products."""
