"""What the tests of the conventions share."""

import pytest
from rest_framework.test import APIClient


@pytest.fixture
def visitor(db: None) -> APIClient:
    """A client that is not logged in; what fails on the server fails as an answer."""
    return APIClient(raise_request_exception=False)
