"""The demo: people, products and a story that a newcomer finds when the server first starts."""
