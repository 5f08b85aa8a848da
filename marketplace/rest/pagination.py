"""Lists: page by page, strict about what was asked for."""

from typing import Any

from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class Pagination(PageNumberPagination):
    """`page` from 1, `pageSize` up to 100. A value that is no such number is 400, and so is a
    page behind the last one: a client that is told so can go back, one that is shown an empty
    list or another page cannot know."""

    page_size = 20
    page_size_query_param = "pageSize"
    max_page_size = 100

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.request = request
        size = _read_number(request, "pageSize", default=self.page_size, most=self.max_page_size)
        number = _read_number(request, "page", default=1, most=None)
        try:
            self.page = Paginator(queryset, size).page(number)
        except (EmptyPage, PageNotAnInteger) as error:
            raise ValidationError(
                {"page": _("There is no such page.")}, code="invalid_page"
            ) from error
        return list(self.page)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        bounds = {
            self.page_query_param: {"minimum": 1, "default": 1},
            self.page_size_query_param: {
                "minimum": 1,
                "maximum": self.max_page_size,
                "default": self.page_size,
            },
        }
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            parameter["schema"].update(bounds[parameter["name"]])
        return parameters


def _read_number(request: Request, name: str, *, default: int, most: int | None) -> int:
    """The query parameter as a number of 1 or above; ValidationError for anything else."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < 1:
        raise ValidationError({name: _("This must be a whole number above zero.")}, code="invalid")
    if most is not None and int(text) > most:
        raise ValidationError({name: _("This is at most %(most)d.") % {"most": most}}, "max_value")
    return int(text)
