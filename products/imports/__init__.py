"""Catalogues that sellers load from a file: the job, its progress, and what is told of it."""
