"""The pages about accounts. They use the services that the API uses."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash, views
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, View
from django.views.generic.base import ContextMixin

from marketplace.accounts import services
from marketplace.accounts.attempts import begin_attempt
from marketplace.accounts.errors import TooManyAttempts
from marketplace.accounts.forms import AccountForm, LoginForm, PasswordForm, RegistrationForm
from marketplace.accounts.models import User
from marketplace.accounts.proofs import Proof
from marketplace.rest.addresses import address_of


def refuse_for_a_while(response: HttpResponse, error: TooManyAttempts) -> HttpResponse:
    """Make the page that says so a 429 that tells when to come back."""
    response.status_code = error.status
    response["Retry-After"] = str(error.retry_after)
    return response


class LoginPage(views.LoginView):
    """Log in, and go on to `next` where that is a page of this site."""

    form_class = LoginForm
    template_name = "accounts/login.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.get_form()
        try:
            return self.form_valid(form) if form.is_valid() else self.form_invalid(form)
        except TooManyAttempts as error:
            form.add_error(None, str(error.detail))
            return refuse_for_a_while(self.form_invalid(form), error)


class LogoutPage(views.LogoutView):
    """Log out; by POST alone, so that no link or image of another site can do it."""


@method_decorator([sensitive_post_parameters("password"), never_cache], name="dispatch")
class RegisterPage(views.RedirectURLMixin, FormView):  # type: ignore[type-arg]
    """Make an account, be logged in, and go on to `next` where that is a page of this site."""

    form_class = RegistrationForm
    template_name = "accounts/register.html"
    next_page = "/"

    def form_valid(self, form: RegistrationForm) -> HttpResponse:
        try:
            user = services.register_user(**form.cleaned_data, address=address_of(self.request))
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        except TooManyAttempts as error:
            form.add_error(None, str(error.detail))
            return refuse_for_a_while(self.form_invalid(form), error)
        login(self.request, user)
        return HttpResponseRedirect(self.get_success_url())

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **context)


class OwnPage(LoginRequiredMixin, ContextMixin, View):
    """A page of the user who is logged in; others go to the login page."""

    @property
    def user(self) -> User:
        """Who is logged in."""
        return cast(User, self.request.user)

    @property
    def proof(self) -> Proof:
        """The login by which the user is here."""
        proof: Proof = self.request.login_proof  # type: ignore[attr-defined]
        return proof


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class AccountPage(OwnPage, FormView):  # type: ignore[type-arg]
    """One's email address, language and shipping address; the other forms stand beside it.

    Context: form, password_form, logins (open ones, newest first) and present_login.
    """

    template_name = "accounts/account.html"
    form_class: type[Form] = AccountForm
    form_name = "form"
    done = ""

    def get_form_kwargs(self) -> dict[str, Any]:
        options = super().get_form_kwargs()
        return {**options, "user": self.user} if self.form_class is AccountForm else options

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        submitted = context.pop("form", None)
        forms = {"form": AccountForm(user=self.user), "password_form": PasswordForm()}
        if submitted is not None:
            forms[self.form_name] = submitted
        return super().get_context_data(
            **forms,
            logins=self.user.logins.open(),
            present_login=self.proof.login,
            **context,
        )

    def form_valid(self, form: Form) -> HttpResponse:
        try:
            self.apply(form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        except TooManyAttempts as error:
            form.add_error(None, str(error.detail))
            return refuse_for_a_while(self.form_invalid(form), error)
        messages.success(self.request, _("Saved."))
        return redirect("account")

    def apply(self, values: dict[str, Any]) -> None:
        """Do what the form asks for; raises what the services raise."""
        services.update_profile(
            user=self.user,
            email=values["email"],
            language=values["language"],
            shipping_address=values["shipping_address"],
            password=values["current_password"],
            address=address_of(self.request),
        )


class PasswordPage(AccountPage):
    """Takes the account page's form for a new password; the user's other logins end."""

    form_class = PasswordForm
    form_name = "password_form"
    http_method_names = ["post"]

    def apply(self, values: dict[str, Any]) -> None:
        services.change_password(
            user=self.user,
            old_password=values["old_password"],
            new_password=values["new_password"],
            keep=self.proof.login.pk,
            address=address_of(self.request),
        )
        update_session_auth_hash(self.request, self.user)


class LoginsPage(OwnPage):
    """Ends the user's logins elsewhere."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        services.end_other_logins(user=self.user, keep=self.proof.login.pk)
        messages.success(request, _("You are logged out everywhere else."))
        return redirect("account")


class PasswordResetPage(views.PasswordResetView):
    """Ask for a mail with a link; the answer is the same for addresses that nobody has.

    The link leads to PUBLIC_HOST: whoever asks writes the header Host, and Django lets any port of
    an allowed host pass. A developer's machine alone is believed about where it is.

    Asking counts like a wrong password, so that nobody floods another's mailbox from here.
    """

    template_name = "accounts/password_reset_form.html"

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        email = form.cleaned_data["email"]
        try:
            begin_attempt(username=f"mail to {email}", address=address_of(self.request))
        except TooManyAttempts as error:
            form.add_error(None, str(error.detail))
            return refuse_for_a_while(self.form_invalid(form), error)
        form.save(
            domain_override=None if settings.DEBUG else settings.PUBLIC_HOST,
            use_https=self.request.is_secure(),
            request=self.request,
        )
        return HttpResponseRedirect(self.get_success_url())


class PasswordResetDone(views.PasswordResetDoneView):
    """Says that a mail was sent, if somebody has that address."""

    template_name = "accounts/password_reset_done.html"


class PasswordResetConfirm(views.PasswordResetConfirmView):
    """Set a new password by the mail's link; all logins of the user end.

    So does the login of this browser, if another user's: who has just proved to be somebody else
    does not go on under that name.
    """

    template_name = "accounts/password_reset_confirm.html"

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        if self.request.login_proof is not None:  # type: ignore[attr-defined]
            logout(self.request)
        return response


class PasswordResetComplete(views.PasswordResetCompleteView):
    """Says that the new password is set."""

    template_name = "accounts/password_reset_complete.html"
