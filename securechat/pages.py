"""The pages of secure conversations. What is said in them is put in by the browser alone."""

import json
from collections.abc import Mapping, Set
from typing import Any, cast
from uuid import UUID

import msgspec
from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.generic import TemplateView

from marketplace.accounts.models import User
from realtime.api import who_is_here
from securechat.channels import channel_of
from securechat.events import SessionData
from securechat.models import Session
from securechat.selectors import shown_sessions

# What a <template> is rendered from; the page's script puts a real conversation's values in.
BLANK: dict[str, Any] = {
    "data": {"session_id": UUID(int=0), "product_title": ""},
    "json": "",
    "other": "",
    "is_here": False,
}

# As many conversations as a page lists.
MOST_LISTED = 100

# Nothing of anybody else's, and no text that becomes a script: what an injected one could reach
# here are keys. Pictures that were decrypted are blobs.
POLICY = {
    "img-src": [SELF, "blob:"],
    "require-trusted-types-for": ["'script'"],
    "trusted-types": [NONE],
}


@method_decorator(csp_replace(POLICY), name="dispatch")
class ChatPage(LoginRequiredMixin, TemplateView):
    """One's conversations, the one that was talked in last first, and one of them beside.

    Context: conversations (each with data, json, other: the other one's name, is_here: whether they
    have the conversation open), open (that conversation, or None), blank.
    """

    template_name = "securechat/chat.html"

    def get_context_data(self, session_id: UUID | None = None, **context: Any) -> dict[str, Any]:
        user = cast(User, self.request.user)
        sessions = Session.objects.of(user.pk).whole().recent_first()
        listed = shown_sessions(sessions[:MOST_LISTED], to=user)
        here = who_is_here([channel_of(UUID(data.session_id)) for data in listed])
        shown = [_shown(data, user, here) for data in listed]
        opened = None
        if session_id is not None:
            own = shown_sessions(sessions.filter(pk=session_id), to=user)
            if not own:
                raise Http404
            opened = _shown(own[0], user, here)
        return super().get_context_data(conversations=shown, open=opened, blank=BLANK, **context)


def _shown(data: SessionData, user: User, here: Mapping[str, Set[int]]) -> dict[str, Any]:
    is_buyer = data.buyer_id == user.pk
    other_id = data.seller_id if is_buyer else data.buyer_id
    return {
        "data": data,
        "json": json.dumps(msgspec.to_builtins(data)),
        "other": data.seller_name if is_buyer else data.buyer_name,
        "is_here": other_id in here.get(channel_of(UUID(data.session_id)), ()),
    }
