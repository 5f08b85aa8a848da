"""The requests about imports: read what was sent, call one service, show the import."""

from typing import Any, cast
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from marketplace.rest.csv_export import CsvView, csv_response
from products.imports import services
from products.imports.columns import FIELDS
from products.imports.models import Import, ImportQuerySet
from products.imports.selectors import bad_rows, find_import, visible_imports
from products.imports.serializers import CancelInput, ImportInput, ImportSerializer, TaskSerializer
from products.services import require_seller

CSV = {(200, "text/csv"): OpenApiTypes.STR}


class ImportsView(ListAPIView[Import]):
    """The list of imports, and where a file is handed in."""

    serializer_class = ImportSerializer
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> ImportQuerySet:
        return visible_imports(_user(self.request))

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One's own imports, newest first; for staff everybody's."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request={"multipart/form-data": ImportInput}, responses={202: TaskSerializer})
    def post(self, request: Request) -> Response:
        """Hand in a file of products (sellers), which is worked on from now on."""
        require_seller(_user(request))
        sent = ImportInput(data=request.data).read()
        upload = sent["file"]
        job = services.create_import(
            seller=_user(request),
            upload=upload.file,
            name=upload.name or "",
            dry_run=sent["dry_run"],
        )
        return Response(TaskSerializer(job).data, status=202)


class ImportView(APIView):
    """One import."""

    @extend_schema(responses=ImportSerializer)
    def get(self, request: Request, task_id: UUID) -> Response:
        """How far it is, and its first bad rows (its owner, staff)."""
        return Response(ImportSerializer(find_import(task_id, by=_user(request))).data)


class CancelView(APIView):
    """The end of one import before its time."""

    @extend_schema(request=None, responses=ImportSerializer)
    def post(self, request: Request, task_id: UUID) -> Response:
        """Stop it (its owner, staff). What it has written stays; a second time nothing happens."""
        find_import(task_id, by=_user(request))
        CancelInput(data=request.data).read()
        job = services.cancel_import(task_id=task_id, by=_user(request))
        return Response(ImportSerializer(job).data)


class ErrorsView(CsvView):
    """All bad rows of one import."""

    @extend_schema(responses=CSV)
    def get(self, request: Request, task_id: UUID) -> StreamingHttpResponse:
        """Row, field and reason, as CSV."""
        job = find_import(task_id, by=_user(request))
        return csv_response(
            file_name="errors.csv", header=["row", "field", "message"], rows=bad_rows(job)
        )


class TemplateView(CsvView):
    """A file to begin with."""

    @extend_schema(responses=CSV)
    def get(self, request: Request) -> StreamingHttpResponse:
        """The header of a file with every column, as CSV."""
        return csv_response(file_name="template.csv", header=FIELDS, rows=[])


def _user(request: Request) -> User:
    """Who asks: the permissions of these views let nobody else through."""
    return cast(User, request.user)
