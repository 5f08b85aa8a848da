"""Every address of the site: what the apps answer, and what belongs to none of them."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog, set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from marketplace.media import MediaView

admin.site.site_title = admin.site.site_header = _("Marketplace administration")

urlpatterns = [
    path("", include("marketplace.accounts.urls")),
    path("", include("marketplace.dashboards.urls")),
    path("", include("products.urls")),
    path("", include("products.imports.urls")),
    path("", include("products.suggestions.urls")),
    path("", include("orders.urls")),
    path("", include("securechat.urls")),
    path("", include("realtime.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api_docs.html"),
        name="docs",
    ),
    path("language", set_language, name="set_language"),
    path("jsi18n", JavaScriptCatalog.as_view(), name="jsi18n"),
    # One login page and one place for one's password, with one guard against guessing.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account")),
    path("admin/", admin.site.urls),
    path(f"{settings.MEDIA_URL.strip('/')}/<path:path>", MediaView.as_view(), name="media"),
]

handler400 = "marketplace.rest.errors.bad_request"
handler403 = "marketplace.rest.errors.permission_denied"
handler404 = "marketplace.rest.errors.page_not_found"
handler500 = "marketplace.rest.errors.server_error"
