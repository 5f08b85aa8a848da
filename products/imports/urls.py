"""Where imports are found, and what can be imported again."""

from django.urls import path

from products.imports import exports, pages, views

IMPORT = "api/imports/<uuid:task_id>"

urlpatterns = [
    path("imports/", pages.ImportsPage.as_view(), name="imports"),
    path("imports/<uuid:task_id>", pages.ImportPage.as_view(), name="import"),
    path("api/imports", views.ImportsView.as_view(), name="api-imports"),
    path("api/imports/template.csv", views.TemplateView.as_view(), name="api-import-template"),
    path(IMPORT, views.ImportView.as_view(), name="api-import"),
    path(f"{IMPORT}/cancel", views.CancelView.as_view(), name="api-import-cancel"),
    path(f"{IMPORT}/errors.csv", views.ErrorsView.as_view(), name="api-import-errors"),
    path(
        "api/exports/products.csv",
        exports.ProductsExportView.as_view(),
        name="api-products-export",
    ),
]
