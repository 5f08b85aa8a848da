"""Template tags of suggestions."""
