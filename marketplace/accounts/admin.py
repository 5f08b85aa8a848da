"""Users and their logins in Django's admin."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import JSONField, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.addresses import AddressDecoder
from marketplace.accounts.models import Login, User


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg] # no generic at run time
    """Django's own, with role, address and language."""

    formfield_overrides: ClassVar = {JSONField: {"decoder": AddressDecoder}}
    list_display = ("username", "email", "role", "is_staff", "is_active")
    list_filter = ("role", "is_staff", "is_superuser", "is_active")
    search_fields = ("username", "email")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personal info"), {"fields": ("email", "language", "shipping_address")}),
        (_("What they may do"), {"fields": ("role", "is_active", "is_staff", "is_superuser")}),
        (_("Permissions"), {"fields": ("groups", "user_permissions"), "classes": ("collapse",)}),
        (_("Important dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": (
                    "username", "email", "role", "usable_password", "password1", "password2",
                ),
            },
        ),
    )  # fmt: skip


@admin.register(Login)
class LoginAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # no generic at run time
    """Logins are looked at and ended here, never made or edited. Deleting one ends it, too."""

    list_display = ("user", "created_at", "expires_at", "ended_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    actions = ("end_logins",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("End the selected logins"), permissions=["end"])
    def end_logins(self, request: HttpRequest, queryset: QuerySet[Login]) -> None:
        """End them with their tokens and streams."""
        Login.objects.filter(pk__in=queryset.values("pk")).end()

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Whoever may change users may log them out."""
        return request.user.has_perm("accounts.change_user")
