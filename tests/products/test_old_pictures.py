"""Files of pictures: there as long as a product names them, and no longer."""

from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from marketplace.accounts.models import User
from products import services
from products.errors import ProductNotFound
from products.images import discard_image, store_image
from products.models import Product
from tests.products.things import make_product, picture

pytestmark = pytest.mark.django_db(transaction=True)


def with_picture(seller: User) -> Product:
    """A product with an uploaded picture."""
    product = make_product(seller)
    upload = BytesIO(picture())
    return services.set_image(product_id=product.pk, by=seller, upload=upload)


def files() -> set[str]:
    """The URLs of all files that there are."""
    root = Path(settings.MEDIA_ROOT)
    return {f"/media/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file()}


def test_it_deletes_a_replaced_picture(seller: User) -> None:
    product = with_picture(seller)
    replaced = product.image_url
    product = services.set_image(product_id=product.pk, by=seller, upload=BytesIO(picture("JPEG")))
    assert replaced != product.image_url
    assert files() == {product.image_url}


def test_it_deletes_the_picture_of_a_deleted_product(seller: User) -> None:
    product = with_picture(seller)
    services.delete_product(product_id=product.pk, by=seller)
    assert files() == set()


@pytest.mark.parametrize("form", ["{}", "https://shop.example{}", "{}?v=2"])
def test_it_keeps_a_picture_that_another_product_names(
    seller: User, other_seller: User, form: str
) -> None:
    product = with_picture(seller)
    shared = product.image_url
    other = make_product(other_seller, image_url=form.format(shared))
    product.image_url = ""
    product.save()
    assert files() == {shared}
    other.delete()
    assert files() == (set() if form == "{}" else {shared})


def test_it_keeps_the_picture_of_a_change_that_is_rolled_back(seller: User) -> None:
    product = with_picture(seller)
    kept = product.image_url
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        services.update_product(product_id=product.pk, by=seller, changes={"image_url": ""})
        _ = 1 // 0
    assert files() == {kept}


def test_it_keeps_the_picture_through_other_changes(seller: User) -> None:
    product = with_picture(seller)
    services.update_product(product_id=product.pk, by=seller, changes={"title": "Jug"})
    services.change_stock(product_id=product.pk, by=seller, change=1)
    assert files() == {product.image_url}


def test_it_gives_every_upload_a_file_of_its_own() -> None:
    one, other = (store_image(BytesIO(picture())) for _ in range(2))
    discard_image(one)
    assert files() == {other}


class DeletingUpload(BytesIO):
    """An upload during which somebody deletes the product."""

    def __init__(self, product: Product) -> None:
        super().__init__(picture())
        self.product = product

    def read(self, size: int | None = -1, /) -> bytes:
        Product.objects.filter(pk=self.product.pk).delete()
        return super().read(size)


def test_it_leaves_no_file_where_the_product_went_away_meanwhile(seller: User) -> None:
    product = make_product(seller)
    with pytest.raises(ProductNotFound):
        services.set_image(product_id=product.pk, by=seller, upload=DeletingUpload(product))
    assert files() == set()


@pytest.mark.parametrize(
    "url",
    [
        "/media/secret.txt",
        "/media/products/../secret.txt",
        "/media/products/aa/../../secret.txt",
        "/media/../secret.txt",
        "https://example.com/media/secret.txt",
        "/secret.txt",
        "secret.txt",
    ],
)
def test_it_deletes_nothing_but_uploaded_pictures(seller: User, url: str) -> None:
    root = Path(settings.MEDIA_ROOT)
    root.mkdir()
    secret = root / "secret.txt"
    secret.write_text("secret")
    product = make_product(seller, image_url=url)
    product.image_url = ""
    product.save()
    assert secret.exists()
