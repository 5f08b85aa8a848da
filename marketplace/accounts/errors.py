"""Why a service of accounts refuses."""

from django.utils.translation import gettext_lazy as _

from marketplace.rest.errors import DomainError


class WrongCredentials(DomainError):
    """No active user has this name and password. It does not say which of the two is wrong."""

    status = 401
    code = "invalid_credentials"
    detail = _("The username or the password is wrong.")


class TooManyAttempts(DomainError):
    """Somebody at this address was wrong too often about this account or about several, asked for
    mails too often, or made too many accounts; even the right password waits now."""

    status = 429
    code = "throttled"
    detail = _("There were too many attempts. Please try again later.")


class InvalidLogin(DomainError):
    """A token, ticket or session does not hold: malformed, of the wrong kind, expired, revoked."""

    status = 401
    code = "token_not_valid"
    detail = _("This login is not valid, or no longer.")
