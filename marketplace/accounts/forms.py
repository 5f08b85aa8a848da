"""The forms of the account pages. They validate what is typed; services decide."""

from typing import Any

import msgspec
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.addresses import ShippingAddress
from marketplace.accounts.errors import WrongCredentials
from marketplace.accounts.models import User, language_choices
from marketplace.accounts.serializers import MAX_PASSWORD
from marketplace.accounts.services import check_credentials
from marketplace.rest.addresses import address_of

# The fields of AddressInput, with the names that browsers fill in by themselves.
ADDRESS_FIELDS = {
    "name": "shipping name",
    "line1": "shipping address-line1",
    "line2": "shipping address-line2",
    "postal_code": "shipping postal-code",
    "city": "shipping address-level2",
    "country": "shipping country-name",
}


def password_field(label: Any, autocomplete: str, **options: Any) -> forms.CharField:
    """A field for a password, in which blanks count."""
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(
        label=label, max_length=MAX_PASSWORD, strip=False, widget=widget, **options
    )


class LoginForm(AuthenticationForm):
    """Name and password, guarded against guessing. Raises TooManyAttempts out of is_valid()."""

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if self.request is None or not username or not password:
            return self.cleaned_data
        try:
            self.user_cache = check_credentials(
                username=username,
                password=password,
                address=address_of(self.request),
                request=self.request,
            )
        except WrongCredentials as error:
            raise ValidationError(str(error.detail), code=error.code) from error
        return self.cleaned_data


class RegistrationForm(forms.Form):
    """A new user."""

    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        help_text=_("Others see it. Letters without accents, digits and @ . + - _"),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    email = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = password_field(_("Password"), "new-password")
    role = forms.ChoiceField(
        label=_("I want to"),
        choices=[(User.Role.BUYER, _("Buy")), (User.Role.SELLER, _("Sell"))],
        initial=User.Role.BUYER,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["password"].help_text = " ".join(password_validators_help_texts())


class AccountForm(forms.Form):
    """What users change of themselves. An address is given whole or not at all."""

    email = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    current_password = password_field(
        _("Present password"),
        "current-password",
        required=False,
        help_text=_("Needed for another email address: by it the password can be set anew."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=language_choices)
    name = forms.CharField(label=_("Name"), max_length=100, required=False)
    line1 = forms.CharField(label=_("Street and number"), max_length=200, required=False)
    line2 = forms.CharField(label=_("Further line"), max_length=200, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    country = forms.CharField(label=_("Country"), max_length=60, required=False)

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        self.user = user
        address = user.shipping_address or {}
        stored = {**address, "postal_code": address.get("postalCode", "")}
        options["initial"] = {"email": user.email, "language": user.language, **stored}
        super().__init__(*args, **options)
        for field, autocomplete in ADDRESS_FIELDS.items():
            self.fields[field].widget.attrs["autocomplete"] = autocomplete

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        given = {name for name in ADDRESS_FIELDS if values.get(name)}
        for name in ADDRESS_FIELDS.keys() - given - {"line2"} if given else ():
            if name not in self.errors:
                self.add_error(name, ValidationError(_("An address needs this."), "required"))
        values["shipping_address"] = self._address(values) if given else None
        return values

    def _address(self, values: dict[str, Any]) -> dict[str, str]:
        given = {name: values.get(name, "") for name in ADDRESS_FIELDS}
        address: dict[str, str] = msgspec.to_builtins(ShippingAddress(**given))
        return address


class PasswordForm(forms.Form):
    """The present password and the one to come."""

    old_password = password_field(_("Present password"), "current-password")
    new_password = password_field(_("New password"), "new-password")
