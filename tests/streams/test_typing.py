"""What the secure chat says and hears over a WebSocket: who types."""

import uuid

import pytest

from marketplace.accounts.models import User
from realtime.api import register_client_message
from securechat.complaints import block_other
from securechat.services import open_session
from securechat.typing_messages import Typing, say_typing
from tests.streams.test_websocket import answer_to, told
from tests.streams.things import in_thread, listen, offer, talk
from tests.support.servers import Marketplace


async def test_it_tells_the_other_one_and_nobody_else_who_types(
    server: Marketplace, buyer: User, seller: User, other_buyer: User
) -> None:
    session = (await in_thread(open_session, product_id=offer(seller).pk, by=buyer)).session
    async with (
        await listen(server, seller) as sellers,
        await talk(server, buyer) as buyers,
        await talk(server, other_buyer) as stranger,
    ):
        await buyers.say("typing", sessionId=str(session.pk))
        typing = await sellers.until("chat-typing")
        assert typing.id is None
        assert typing.body["data"]["sessionId"] == str(session.pk)
        assert typing.body["data"]["userId"] == buyer.pk
        # Nobody else hears it, the one who types included.
        for client in (buyers, stranger):
            await client.say("ping")
            said = await told(client, until="pong")
            assert "chat-typing" not in {message["type"] for message in said}


async def test_it_hears_nobody_who_may_not_say_it(
    server: Marketplace, buyer: User, seller: User, other_buyer: User
) -> None:
    session = (await in_thread(open_session, product_id=offer(seller).pk, by=buyer)).session
    typing = f'{{"type":"typing","sessionId":"{session.pk}"}}'
    unknown = f'{{"type":"typing","sessionId":"{uuid.uuid4()}"}}'
    async with await talk(server, other_buyer) as client:
        assert (await answer_to(client, typing))["code"] == "forbidden"
        assert (await answer_to(client, unknown))["code"] == "forbidden"
        for bad in ("{}", '{"type":"typing"}', '{"type":"typing","sessionId":7}'):
            assert (await answer_to(client, bad))["code"] == "invalid-message"
    async with await talk(server, channels="availability") as nobody:
        await nobody.say("typing", sessionId=str(session.pk))
        assert (await told(nobody, until="error"))[-1]["code"] == "forbidden"
    await in_thread(block_other, session_id=session.pk, by=seller)
    async with await talk(server, buyer) as client:
        assert (await answer_to(client, typing))["code"] == "forbidden"


def test_a_word_belongs_to_one_app() -> None:
    with pytest.raises(ValueError, match="registered already"):
        register_client_message(Typing, say_typing)
