"""What axe finds on a page, in both schemes and at both ends of the widths."""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
WINDOWS = [(390, 844), (1440, 900)]


def assert_accessible(page: Page) -> None:
    """Nothing that axe knows of is wrong, and nothing is wider than the window.

    As the page stands now: it is not loaded anew for each look and size.
    """
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for across, down in WINDOWS:
            page.set_viewport_size({"width": across, "height": down})
            found = Axe().run(page)
            assert found.violations_count == 0, (scheme, across, found.generate_report())
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
