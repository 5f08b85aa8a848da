"""Why a service of the secure chat refuses. One handler makes answers of these (docs/errors.md)."""

from django.utils.translation import gettext_lazy as _

from marketplace.rest.errors import DomainError


class SessionNotFound(DomainError):
    """There is no such session, or the person is not one of the two."""

    status = 404
    code = "not_found"
    detail = _("There is no such conversation.")


class PartnerNotFound(DomainError):
    """No such product, or nobody with whom this person may open a channel about it."""

    status = 404
    code = "not_found"
    detail = _("There is nobody to talk to about this product.")


class BuyerRequired(DomainError):
    """A seller has to say with whom."""

    status = 400
    code = "required"
    detail = _("Say with which buyer.")

    def __init__(self) -> None:
        super().__init__(attr="buyerId")


class InvalidKey(DomainError):
    """A key bundle that is malformed, unsound, or the other role's."""

    status = 400
    code = "invalid_key"
    detail = _("This is no valid key.")

    def __init__(self, why: str) -> None:
        super().__init__(attr="publicKey", why=why)


class InvalidEnvelope(DomainError):
    """An envelope that no browser of the sender's role makes."""

    status = 400
    code = "invalid_envelope"
    detail = _("This is no encrypted message.")

    def __init__(self, why: str) -> None:
        super().__init__(attr="envelope", why=why)


class KeyConflict(DomainError):
    """Another key of the same person is there for this epoch."""

    code = "key_conflict"
    detail = _("Another key was submitted for this epoch already.")


class StaleEpoch(DomainError):
    """The session is in another epoch, which it says."""

    code = "stale_epoch"
    detail = _("The conversation has other keys by now.")

    def __init__(self, *, epoch: int) -> None:
        super().__init__(epoch=epoch)


class SessionNotActive(DomainError):
    """Not both keys are there yet."""

    code = "session_not_active"
    detail = _("The conversation is not secured yet: a key is missing.")


class SessionClosed(DomainError):
    """The session was closed; it can be opened again."""

    code = "session_closed"
    detail = _("The conversation is closed.")


class StaleSession(DomainError):
    """The session was changed since the caller loaded it."""

    code = "stale_version"
    detail = _("The conversation was changed meanwhile: load it again.")


class MessageConflict(DomainError):
    """The sender's id stands for another message already."""

    code = "message_conflict"
    detail = _("This clientMessageId was used for another message.")


class Blocked(DomainError):
    """One of the two has blocked the other."""

    status = 403
    code = "blocked"
    detail = _("One of you has blocked the other.")


class AttachmentNotFound(DomainError):
    """There is no such attachment in this session."""

    status = 404
    code = "not_found"
    detail = _("This file is not here any more.")


class AttachmentTooLarge(DomainError):
    """More bytes than an attachment may have."""

    status = 413
    code = "too_large"
    detail = _("A file has 6 MiB at most.")


class AttachmentEmpty(DomainError):
    """Nothing was sent."""

    status = 400
    code = "blank"
    detail = _("The file is empty.")


class TooManyAttachments(DomainError):
    """The session has had as many attachments as a day may bring."""

    status = 429
    code = "throttled"
    detail = _("A conversation takes 20 files a day.")


class UnknownMessages(DomainError):
    """A report names messages that are not in the session."""

    status = 400
    code = "invalid"
    detail = _("Not all of these messages are in this conversation.")

    def __init__(self) -> None:
        super().__init__(attr="seqs")
