"""The requests about products: read what was sent, call one service, show the product."""

from typing import IO, Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from products import services
from products.errors import InvalidImage
from products.filters import ProductFilter, filter_products, read_filter
from products.models import Product, ProductQuerySet
from products.selectors import visible_products
from products.serializers import (
    DeletionInput,
    ProductChanges,
    ProductInput,
    ProductSerializer,
    StockInput,
)


class ProductsView(ListAPIView[Product]):
    """The list of products, and where new ones are offered."""

    permission_classes = [IsAuthenticatedOrReadOnly]
    serializer_class = ProductSerializer

    def get_queryset(self) -> ProductQuerySet:
        wanted = read_filter(self.request.query_params)
        return filter_products(visible_products(self.request.user), wanted)

    @extend_schema(parameters=[ProductFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The products on sale, newest first, and one's own that are not."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=ProductInput, responses={201: ProductSerializer})
    def post(self, request: Request) -> Response:
        """Offer a product (sellers)."""
        seller = _user(request)
        services.require_seller(seller)
        fields = cast(services.ProductFields, ProductInput(data=request.data).read())
        return _shown(services.create_product(seller=seller, fields=fields), status=201)


class ProductView(RetrieveAPIView[Product]):
    """One product."""

    permission_classes = [IsAuthenticatedOrReadOnly]
    serializer_class = ProductSerializer
    lookup_url_kwarg = "product_id"

    def get_queryset(self) -> ProductQuerySet:
        return visible_products(self.request.user)

    @extend_schema(request=ProductChanges, responses=ProductSerializer)
    def put(self, request: Request, product_id: int) -> Response:
        """Change a product. What may be missing from a new product keeps its value if it is."""
        return self._update(request, product_id, partial=False)

    @extend_schema(request=ProductChanges, responses=ProductSerializer)
    def patch(self, request: Request, product_id: int) -> Response:
        """Change some fields of a product (its seller, staff)."""
        return self._update(request, product_id, partial=True)

    @extend_schema(request=DeletionInput, responses={204: None})
    def delete(self, request: Request, product_id: int) -> Response:
        """Delete a product, or take it off sale when there are orders or suggestions of it."""
        services.require_own(product_id=product_id, by=_user(request))
        deletion = DeletionInput(data=request.data).read()
        services.delete_product(product_id=product_id, by=_user(request), **deletion)
        return Response(status=204)

    def _update(self, request: Request, product_id: int, *, partial: bool) -> Response:
        # Asked first, so that a stranger learns that it is not theirs, not what a body needs.
        services.require_own(product_id=product_id, by=_user(request))
        changes = ProductChanges(data=request.data, partial=partial).read()
        version = changes.pop("version", None)
        stock_version = changes.pop("stock_version", None)
        product = services.update_product(
            product_id=product_id,
            by=_user(request),
            changes=cast(services.ProductFields, changes),
            version=version,
            stock_version=stock_version,
        )
        return _shown(product)


class StockView(APIView):
    """The stock of one product."""

    @extend_schema(request=StockInput, responses=ProductSerializer)
    def post(self, request: Request, product_id: int) -> Response:
        """Add or take out pieces (`change`), or set what was counted (`set`, `stockVersion`)."""
        services.require_own(product_id=product_id, by=_user(request))
        stock = StockInput(data=request.data).read()
        change_or_set = services.change_stock if "change" in stock else services.set_stock
        return _shown(change_or_set(product_id=product_id, by=_user(request), **stock))


class ImageView(APIView):
    """The picture of one product."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        request={
            "multipart/form-data": {
                "type": "object",
                "properties": {"image": {"type": "string", "format": "binary"}},
                "required": ["image"],
            }
        },
        responses=ProductSerializer,
    )
    def post(self, request: Request, product_id: int) -> Response:
        """Give the product a picture: one JPEG, PNG or WebP file of at most 5 MB."""
        services.require_own(product_id=product_id, by=_user(request))
        upload = _only_file(request)
        return _shown(services.set_image(product_id=product_id, by=_user(request), upload=upload))


def _user(request: Request) -> User:
    """Who asks: the permissions of these views let nobody else through."""
    return cast(User, request.user)


def _shown(product: Product, *, status: int = 200) -> Response:
    return Response(ProductSerializer(product).data, status=status)


def _only_file(request: Request) -> IO[bytes]:
    """The one file of the form, whatever its field is called. Raises InvalidImage."""
    files = [upload.file for name in request.FILES for upload in request.FILES.getlist(name)]
    if len(files) != 1:
        raise InvalidImage
    only: IO[bytes] = files[0]
    return only
