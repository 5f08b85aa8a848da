"""What clients send of products, and what they are shown."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from marketplace.rest.numbers import MoneyField, WholeNumberField
from marketplace.rest.serializers import InputSerializer, StructSerializer
from products.events import ProductData, product_data
from products.models import MAX_STOCK, Product
from products.validators import validate_currency, validate_image_url


class ProductSerializer(StructSerializer):
    """A product, as its events show it."""

    struct = ProductData
    build = staticmethod(product_data)


class TextOrNothing(serializers.CharField):
    """Text that may be missing: null means the same as an empty one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, allow_null=True, required=False, **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation("" if data is None else data)


class ProductInput(InputSerializer):
    """A new product."""

    representation = ProductData

    title = serializers.CharField(max_length=200)
    description = TextOrNothing(max_length=10_000)
    category = TextOrNothing(max_length=60)
    price = MoneyField()
    currency = serializers.CharField(
        max_length=3, validators=[validate_currency], help_text="ISO 4217, in capitals."
    )
    kind = serializers.ChoiceField(Product.Kind.choices)
    stock = WholeNumberField(min_value=0, max_value=MAX_STOCK)
    max_group_size = WholeNumberField(
        min_value=1, max_value=MAX_STOCK, allow_null=True, required=False
    )
    starts_at = serializers.DateTimeField(allow_null=True, required=False)
    low_stock_threshold = WholeNumberField(min_value=0, max_value=MAX_STOCK, required=False)
    external_id = TextOrNothing(max_length=100)
    image_url = TextOrNothing(max_length=500, validators=[validate_image_url])
    is_active = serializers.BooleanField(required=False)


class ProductChanges(ProductInput):
    """A changed product. A field that may be missing keeps its value when it is."""

    version = WholeNumberField(
        required=False, help_text="The version that the changes are based on, to have it checked."
    )
    stock_version = WholeNumberField(
        required=False, help_text="The stockVersion that the stock is based on; needed with it."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "stock" in attrs and "stock_version" not in attrs:
            raise serializers.ValidationError(
                {"stockVersion": _("A stock is set together with its stockVersion.")}, "required"
            )
        return attrs


class StockInput(InputSerializer):
    """Pieces that came or went, or the number that was counted."""

    change = WholeNumberField(
        min_value=-MAX_STOCK, max_value=MAX_STOCK, required=False, help_text="Pieces, + or -."
    )
    set = WholeNumberField(
        source="stock", min_value=0, max_value=MAX_STOCK, required=False, help_text="Pieces."
    )
    stock_version = WholeNumberField(required=False, help_text="Needed with `set`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("change" in attrs) == ("stock" in attrs):
            raise serializers.ValidationError(_("Send either `change` or `set`."), "invalid")
        if "stock" in attrs and "stock_version" not in attrs:
            raise serializers.ValidationError(
                {"stockVersion": _("A stock is set together with its stockVersion.")}, "required"
            )
        return attrs


class DeletionInput(InputSerializer):
    """What may come with a deletion."""

    representation = ProductData

    version = WholeNumberField(required=False)
