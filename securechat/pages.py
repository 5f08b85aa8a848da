"""The pages of secure conversations. What is said in them is put in by the browser alone."""

import json
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
from securechat.events import SessionData
from securechat.models import Session
from securechat.selectors import shown_sessions

# What a <template> is rendered from; the page's script puts a real conversation's values in.
BLANK = {"data": {"session_id": UUID(int=0), "product_title": ""}, "json": "", "other": ""}

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

    Context: conversations (each with data, as JSON has it, and other, the other one's name), open
    (that conversation, or None), blank.
    """

    template_name = "securechat/chat.html"

    def get_context_data(self, session_id: UUID | None = None, **context: Any) -> dict[str, Any]:
        user = cast(User, self.request.user)
        sessions = Session.objects.of(user.pk).whole().recent_first()
        shown = [_shown(data, user) for data in shown_sessions(sessions[:MOST_LISTED], to=user)]
        opened = None
        if session_id is not None:
            own = shown_sessions(sessions.filter(pk=session_id), to=user)
            if not own:
                raise Http404
            opened = _shown(own[0], user)
        return super().get_context_data(conversations=shown, open=opened, blank=BLANK, **context)


def _shown(data: SessionData, user: User) -> dict[str, Any]:
    is_buyer = data.buyer_id == user.pk
    return {
        "data": data,
        "json": json.dumps(msgspec.to_builtins(data)),
        "other": data.seller_name if is_buyer else data.buyer_name,
    }
