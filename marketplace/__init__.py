"""The composition root: it sees every app, and no app sees it (accounts and rest aside)."""
