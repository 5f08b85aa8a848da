"""Which variables of the environment the settings read."""

import re

from tests.support.machine import ROOT

READ = re.compile(r'\b(?:read_\w+|env\.\w+)\(\s*"([A-Z_]+)"')


def settings_variables() -> set[str]:
    """The names, as marketplace/settings.py has them."""
    return set(READ.findall((ROOT / "marketplace" / "settings.py").read_text()))
