"""What is written about the project is true of it."""

import os
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.support.environment import settings_variables
from tests.support.machine import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(document.relative_to(ROOT)) for document in DOCUMENTS]


def without_comments(requirements: str) -> list[str]:
    """The lines of a requirements file that name a package."""
    lines = (ROOT / requirements).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


def test_every_variable_of_the_settings_is_documented_and_no_other() -> None:
    table = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)) == settings_variables()


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    for script in re.findall(r"(?<![\w./])script/[a-z]+\b(?!/)", text):
        assert os.access(ROOT / script, os.X_OK), script
    for command in re.findall(r"manage\.py ([a-z][a-z_]+)", text):
        assert command in get_commands(), command


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_file_that_a_document_links_to_exists(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("requirements", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_has_an_exact_version(requirements: str) -> None:
    for line in without_comments(requirements):
        assert re.fullmatch(r"[a-z0-9-]+(\[[a-z]+\])?==[0-9][0-9a-z.]*", line), line


def test_every_package_of_the_product_has_its_reason() -> None:
    reasons = (ROOT / "docs" / "decisions" / "0001-dependencies.md").read_text()
    for line in without_comments("requirements.txt"):
        name = re.split(r"[\[=]", line)[0]
        assert f"`{name}`" in reasons, name
