"""Imports over REST: who may hand in, see and stop them, and what is refused at once."""

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from marketplace.accounts.models import User
from products.imports import services
from products.imports.files import MAX_FILE_BYTES
from products.imports.models import Import
from tests.conftest import ClientFor
from tests.imports.things import URL, csv_file, hand_in, row, work_on

pytestmark = pytest.mark.django_db(transaction=True)

FILE = csv_file([row(1), row(2, price="")])
PEOPLE = ["seller", "other_seller", "buyer", "staff"]


@pytest.fixture
def clients(client_for: ClientFor, request: pytest.FixtureRequest) -> dict[str, APIClient]:
    """A client for each kind of person."""
    known = {name: client_for(request.getfixturevalue(name)) for name in PEOPLE}
    return {**known, "nobody": APIClient()}


def upload(client: APIClient, content: bytes = FILE, name: str = "c.csv", **fields: Any) -> Any:
    """Hand a file in; the answer."""
    file = SimpleUploadedFile(name, content)
    return client.post(URL, {"file": file, **fields}, format="multipart")


def code_of(answer: Any) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_a_seller_hands_a_file_in_and_finds_what_became_of_it(
    clients: dict[str, APIClient],
) -> None:
    answer = upload(clients["seller"])
    assert answer.status_code == 202
    (task_id,) = answer.json().values()
    waiting = clients["seller"].get(f"{URL}/{task_id}").json()
    assert waiting == {
        "taskId": task_id,
        "status": "queued",
        "dryRun": False,
        "step": None,
        "current": 0,
        "total": 0,
        "percent": 0,
        "created": 0,
        "updated": 0,
        "failed": 0,
        "errors": [],
        "fileName": "c.csv",
        "ignoredColumns": [],
        "createdAt": waiting["createdAt"],
        "finishedAt": None,
    }
    work_on(uuid.UUID(task_id))
    over = clients["seller"].get(f"{URL}/{task_id}")
    assert "Event-Position" in over.headers
    assert over.json() == {
        **waiting,
        "status": "done",
        "step": "publishing",
        "current": 1,
        "total": 1,
        "percent": 100,
        "created": 1,
        "failed": 1,
        "errors": [{"row": 3, "field": "price", "message": "It is no amount like 12.50."}],
        "finishedAt": over.json()["finishedAt"],
    }
    listed = clients["seller"].get(URL).json()
    assert (listed["count"], listed["results"]) == (1, [over.json()])


def test_a_trial_is_asked_for_in_the_form(clients: dict[str, APIClient]) -> None:
    assert upload(clients["seller"], dryRun="true").status_code == 202
    assert Import.objects.get().dry_run


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("buyer", (403, "sellers_only")),
        ("staff", (403, "sellers_only")),
        ("nobody", (401, "not_authenticated")),
    ],
)
def test_only_sellers_hand_in(
    clients: dict[str, APIClient], who: str, refusal: tuple[int, str]
) -> None:
    assert code_of(upload(clients[who])) == refusal
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("who", "status"),
    [("seller", 200), ("staff", 200), ("other_seller", 404), ("buyer", 404), ("nobody", 401)],
)
def test_it_is_its_owners_and_staffs(
    clients: dict[str, APIClient], seller: User, who: str, status: int
) -> None:
    job, client = hand_in(seller, FILE), clients[who]
    one = f"{URL}/{job.pk}"
    assert client.get(one).status_code == status
    assert client.post(f"{one}/cancel").status_code == status
    job.refresh_from_db()
    assert job.status == ("cancelled" if status == 200 else "queued")
    if status == 404:
        assert client.get(f"{one}/errors.csv").status_code == 404
        assert client.get(URL).json()["count"] == 0


def test_one_that_is_not_there_is_not_found(clients: dict[str, APIClient]) -> None:
    one = f"{URL}/{uuid.uuid4()}"
    assert code_of(clients["seller"].get(one)) == (404, "not_found")
    assert code_of(clients["seller"].post(f"{one}/cancel")) == (404, "not_found")
    assert clients["seller"].get(f"{URL}/7").status_code == 404


def test_it_is_cancelled_once_and_not_when_it_is_over(
    clients: dict[str, APIClient], seller: User
) -> None:
    waiting, over = hand_in(seller, FILE), hand_in(seller, FILE)
    client = clients["seller"]
    for _ in range(2):
        assert client.post(f"{URL}/{waiting.pk}/cancel").json()["status"] == "cancelled"
    written = {"status": "running", "step": "publishing"}
    Import.objects.filter(pk=over.pk).update(**written)
    assert code_of(client.post(f"{URL}/{over.pk}/cancel")) == (409, "import_finished")
    Import.objects.filter(pk=over.pk).update(status="queued", step="")
    work_on(over.pk)
    assert code_of(client.post(f"{URL}/{over.pk}/cancel")) == (409, "import_finished")


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("c.csv", b"\xff\xfe", (400, "invalid_file")),
        ("c.xlsx", FILE, (400, "invalid_file")),
        ("c.csv", b"", (400, "empty")),
        ("c.csv", b"x" * (MAX_FILE_BYTES + 1), (413, "too_large")),
    ],
)
def test_what_is_no_catalogue_is_refused_at_once(
    clients: dict[str, APIClient], name: str, content: bytes, refusal: tuple[int, str]
) -> None:
    assert code_of(upload(clients["seller"], content, name)) == refusal
    assert not Import.objects.exists()


def test_a_form_without_a_file_or_with_other_fields_is_refused(
    clients: dict[str, APIClient],
) -> None:
    client = clients["seller"]
    assert code_of(client.post(URL, {}, format="multipart")) == (400, "required")
    assert code_of(client.post(URL, {"file": "x"}, format="multipart"))[0] == 400
    assert code_of(upload(client, colour="red")) == (400, "unknown_field")
    assert code_of(upload(client, dryRun="perhaps")) == (400, "invalid")
    assert code_of(client.post(URL, {}, format="json")) == (415, "unsupported_media_type")


def test_so_many_of_one_seller_wait_and_no_more(
    clients: dict[str, APIClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_UNFINISHED", 2)
    client = clients["seller"]
    assert [upload(client).status_code for _ in range(2)] == [202, 202]
    assert code_of(upload(client)) == (409, "too_many_imports")
    assert upload(clients["other_seller"]).status_code == 202


def test_what_is_refused_leaves_no_file(clients: dict[str, APIClient], settings: Any) -> None:
    upload(clients["seller"], b"\xff\xfe")
    assert not settings.IMPORTS_ROOT.exists()
