"""Pictures that sellers uploaded."""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.generic import View
from django.views.static import serve

from marketplace.files import in_memory


class MediaView(View):
    """Serves what was uploaded, as what its name says and as nothing else."""

    def get(self, request: HttpRequest, path: str) -> HttpResponseBase:
        response = in_memory(serve(request, path, document_root=str(settings.MEDIA_ROOT)))
        response["X-Content-Type-Options"] = "nosniff"
        # For everybody the same, and never another one under the same name.
        response["Cache-Control"] = "public, max-age=86400"
        # Opened by itself an upload is no page of this site, whatever it contains.
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response
