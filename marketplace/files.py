"""Static and uploaded files under ASGI.

Django's FileResponse hands its file out through a synchronous iterator, which an ASGI server
consumes whole in one go anyway, with a warning for each process. The files here are small (five
megabytes at most, see products.images), so the answer holds its body from the start.
"""

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


def in_memory(response: HttpResponseBase) -> HttpResponseBase:
    """The same answer with its body read; one that streams no file comes back as it is."""
    if not isinstance(response, FileResponse):
        return response
    whole = HttpResponse(response.getvalue(), status=response.status_code)
    whole.headers = response.headers
    # The file alone: closing the answer would tell everybody that the request has finished.
    if response.file_to_stream is not None:
        response.file_to_stream.close()
    return whole


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc] # untyped package
    """WhiteNoise, whose answers hold their body."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponseBase:
        """The answer for one static file."""
        return in_memory(WhiteNoiseMiddleware.serve(static_file, request))
