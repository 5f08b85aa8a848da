"""Names: snake_case in Python, camelCase on the wire."""


def camel_case(name: str) -> str:
    """The wire form of a name ("postal_code" is "postalCode"); one without underscores stays."""
    first, *others = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in others)
