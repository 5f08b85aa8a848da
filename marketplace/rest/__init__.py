"""The conventions of HTTP that every app of the project shares; knows none of them."""
