"""The servers that the product is compared with."""

from pathlib import Path

HERE = Path(__file__).parent

# What the machine can do.
LIMIT = HERE / "limit.c"
