"""The requests about conversations: read what was sent, call one service, show the result."""

from collections.abc import Mapping
from typing import IO, Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.accounts.models import User
from securechat import attachments, complaints, services
from securechat.errors import SessionNotFound
from securechat.events import SessionData
from securechat.models import Message, Session
from securechat.selectors import shown_sessions
from securechat.serializers import (
    AfterFilter,
    AttachmentStoredSerializer,
    EpochInput,
    KeyInput,
    MessageInput,
    MessageSentSerializer,
    MessageSerializer,
    ReportInput,
    ReportTakenSerializer,
    SessionInput,
    SessionSerializer,
    read_after,
)

BINARY = {"application/octet-stream": {"type": "string", "format": "binary"}}


class SessionsView(ListAPIView[Session]):
    """The list of one's conversations, and where one is opened."""

    serializer_class = SessionSerializer

    def get_queryset(self) -> QuerySet[Session]:
        return Session.objects.of(_user(self.request).pk).whole()

    @extend_schema(operation_id="dh_sessions_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One's conversations, newest first."""
        page = self.paginate_queryset(self.get_queryset()) or []
        shown = shown_sessions(page, to=_user(request))
        return self.get_paginated_response(SessionSerializer(shown, many=True).data)

    @extend_schema(request=SessionInput, responses={200: SessionSerializer, 201: SessionSerializer})
    def post(self, request: Request) -> Response:
        """Open the channel about a product: 201 for a new one, 200 for the one that is there."""
        wanted = SessionInput(data=request.data).read()
        opened = services.open_session(by=_user(request), **wanted)
        return _shown(request, opened.session, status=201 if opened.is_new else 200)


class SessionView(APIView):
    """One conversation."""

    @extend_schema(responses=SessionSerializer)
    def get(self, request: Request, session_id: UUID) -> Response:
        """The session with its keys, for the two alone."""
        return _shown(request, _own_session(request, session_id))


class KeyView(APIView):
    """The keys of one conversation."""

    @extend_schema(request=KeyInput, responses=SessionSerializer)
    def post(self, request: Request, session_id: UUID) -> Response:
        """Submit one's bundle of public keys; the second one makes the session active."""
        key = KeyInput(data=request.data).read()
        return _shown(request, services.submit_key(session_id=session_id, by=_user(request), **key))


class RekeyView(APIView):
    """New keys for one conversation."""

    @extend_schema(request=EpochInput, responses=SessionSerializer)
    def post(self, request: Request, session_id: UUID) -> Response:
        """Begin the epoch after this one; where it has passed already, the present session."""
        epoch = EpochInput(data=request.data).read()
        return _shown(
            request, services.rekey_session(session_id=session_id, by=_user(request), **epoch)
        )


class CloseView(APIView):
    """The end of one conversation."""

    @extend_schema(request=None, responses=SessionSerializer)
    def post(self, request: Request, session_id: UUID) -> Response:
        """Close the channel. Opening it again begins a new epoch."""
        return _shown(request, services.close_session(session_id=session_id, by=_user(request)))


class MessagesView(ListAPIView[Message]):
    """The messages of one conversation: ciphertext."""

    serializer_class = MessageSerializer

    def get_queryset(self) -> QuerySet[Message]:
        after = read_after(self.request.query_params)
        user = _user(self.request)
        session = _own_session(self.request, self.kwargs["session_id"])
        services.note_received(session=session, by=user, up_to=after)
        return Message.objects.filter(session=session, seq__gt=after).order_by("seq")

    @extend_schema(parameters=[AfterFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The messages after a number, oldest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=MessageInput, responses={200: MessageSentSerializer, 201: MessageSentSerializer}
    )
    def post(self, request: Request, session_id: UUID) -> Response:
        """Send a message: 201, or 200 where this sender's clientMessageId has been sent before."""
        message = MessageInput(data=request.data).read()
        sent = services.send_message(session_id=session_id, by=_user(request), **message)
        answer = MessageSentSerializer(sent.message).data
        return Response(answer, status=201 if sent.is_new else 200)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, session_id: UUID) -> Response:
        """Delete all messages and files, for both."""
        services.delete_messages(session_id=session_id, by=_user(request))
        return Response(status=204)


class TypingView(APIView):
    """Who types."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, session_id: UUID) -> Response:
        """Let the other one see that one types, for six seconds."""
        services.tell_typing(session_id=session_id, by_id=_user(request).pk)
        return Response(status=204)


class RawParser(BaseParser):
    """Reads a body as it is, to one byte more than an attachment may have."""

    media_type = "application/octet-stream"

    def parse(  # type: ignore[override] # the framework hands on whatever it is
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return stream.read(attachments.MAX_BYTES + 1)


class AttachmentsView(APIView):
    """Where encrypted files are left."""

    parser_classes = [RawParser]

    @extend_schema(request=BINARY, responses={201: AttachmentStoredSerializer})
    def post(self, request: Request, session_id: UUID) -> Response:
        """Leave an encrypted file of at most 6 MiB."""
        content = request.data if isinstance(request.data, bytes) else b""
        stored = attachments.store_attachment(
            session_id=session_id, by=_user(request), content=content
        )
        return Response(AttachmentStoredSerializer(stored).data, status=201)


class AttachmentView(APIView):
    """One encrypted file."""

    @extend_schema(responses={(200, "application/octet-stream"): BINARY})
    def get(self, request: Request, session_id: UUID, attachment_id: UUID) -> HttpResponse:
        """The ciphertext, as it was left."""
        content = attachments.find_attachment(
            session_id=session_id, attachment_id=attachment_id, by=_user(request)
        )
        response = HttpResponse(content, content_type="application/octet-stream")
        # Nobody's browser may take somebody's bytes for a page.
        response["Content-Disposition"] = "attachment"
        return response


class BlockView(APIView):
    """An end to somebody's messages."""

    @extend_schema(request=None, responses=SessionSerializer)
    def post(self, request: Request, session_id: UUID) -> Response:
        """Block the other one, in this and every other conversation."""
        return _shown(request, complaints.block_other(session_id=session_id, by=_user(request)))


class UnblockView(APIView):
    """The end of one's own block."""

    @extend_schema(request=None, responses=SessionSerializer)
    def post(self, request: Request, session_id: UUID) -> Response:
        """Take one's own block back."""
        return _shown(request, complaints.unblock_other(session_id=session_id, by=_user(request)))


class ReportView(APIView):
    """Complaints to the staff."""

    @extend_schema(request=ReportInput, responses={201: ReportTakenSerializer})
    def post(self, request: Request, session_id: UUID) -> Response:
        """Report the other one, and reveal these messages and no others."""
        _own_session(request, session_id)
        complaint = ReportInput(data=request.data).read()
        report = complaints.report_other(session_id=session_id, by=_user(request), **complaint)
        return Response(ReportTakenSerializer(report).data, status=201)


def _user(request: Request) -> User:
    """Who asks: the permissions of these views let nobody else through."""
    return cast(User, request.user)


def _own_session(request: Request, session_id: UUID) -> Session:
    """The session, for one of its two; raises SessionNotFound for anybody else."""
    session = Session.objects.of(_user(request).pk).whole().filter(pk=session_id).first()
    if session is None:
        raise SessionNotFound
    return session


def _shown(request: Request, session: Session, *, status: int = 200) -> Response:
    shown: SessionData = shown_sessions([session], to=_user(request))[0]
    return Response(SessionSerializer(shown).data, status=status)
