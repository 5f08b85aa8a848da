"""Conversations of a buyer and a seller that nobody but the two can read."""
