"""What an open stream may hear, while it is open: its channels, its login, its user's rights.

Events are held back while the database is asked, so that they go by what is allowed and positions
never go down.
"""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from realtime.channels import Channel
from realtime.client_messages import NotAllowed, client_messages
from realtime.connection import Connection
from realtime.control import LOGIN_ENDED
from realtime.database import DatabaseThreads
from realtime.hub import Hub
from realtime.listeners import Credentials
from realtime.messages import Unsubscribed
from realtime.rights import (
    MAX_CHANNELS,
    Refused,
    Survey,
    audible_to,
    channel_named,
    keep_rights,
    log_in,
    survey,
    welcome,
)
from realtime.wheel import Wheel

logger = logging.getLogger(__name__)


class Hearing:
    """The rights of all streams of one hub."""

    def __init__(
        self,
        hub: Hub,
        *,
        pool: DatabaseThreads,
        books: DatabaseThreads,
        wheel: Wheel,
        start_chore: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._hub = hub
        self._pool = pool
        self._books = books
        self._wheel = wheel
        self._start_chore = start_chore

    # --- what the client asks for -----------------------------------------------------------

    async def subscribe(self, connection: Connection, name: str) -> None:
        """Have the connection hear one more channel; raises Refused.

        The channel's events follow its present state, which is queued here.
        """
        channel = channel_named(name)
        if name not in connection.channels and len(connection.channels) >= MAX_CHANNELS:
            raise Refused("forbidden")
        async with connection.changing:
            if not await self._pool.run(channel.may_be_heard_by, connection.listener):
                self._drop_channel(connection, name)  # it may have been allowed before
                raise Refused("forbidden")
            connection.hold(self._hub.last)
            try:
                await self._add_channel(connection, channel)
            finally:
                connection.release()

    async def _add_channel(self, connection: Connection, channel: Channel) -> None:
        connection.channels[channel.name] = channel
        self._listen(connection)
        # The position comes before the state. What the connection was sent by replay may be ahead
        # of the hub, and events up to there are not delivered any more.
        position = max(self._hub.last, connection.sent)
        try:
            found = await self._pool.run(
                survey, connection.listener, (channel,), states_of=(channel,)
            )
        except Exception:
            self._drop_channel(connection, channel.name)  # nobody knows whether it is theirs
            raise
        if channel.name not in found.states:
            self._drop_channel(connection, channel.name)
            raise Refused("forbidden")
        welcome(connection, channel.name, found, position=position)

    async def unsubscribe(self, connection: Connection, name: str) -> None:
        """Have the connection no longer hear a channel that it asked for; raises Refused.

        What is its own without asking, it goes on hearing.
        """
        channel_named(name)
        async with connection.changing:
            self._drop_channel(connection, name)
            connection.say(Unsubscribed(channel=name))

    def _drop_channel(self, connection: Connection, name: str) -> None:
        """Nothing of it is sent any more, not even what is held back now."""
        connection.channels.pop(name, None)
        self._listen(connection)

    async def authenticate(self, connection: Connection, token: str) -> None:
        """Renew the login of an open stream; raises Refused for a bad one or another user's."""
        credentials = Credentials(authorization=f"Bearer {token}")
        listener = await self._pool.run(log_in, credentials)
        if listener.user_id != connection.listener.user_id:
            raise Refused("forbidden")
        async with connection.changing:
            connection.listener = listener
            connection.warned = False
            self._wheel.watch(connection)
            self._listen(connection)
        # It may have ended between the check and the registration.
        connection.hold(self._hub.last)
        await self._recheck(connection)

    async def hand_on(self, connection: Connection, message: msgspec.Struct) -> None:
        """Give an app what a client said to it; raises Refused."""
        if connection.listener.user_id is None:
            raise Refused("forbidden")
        handle = client_messages()[type(message)]
        try:
            await self._pool.run(handle, connection.listener, message)
        except NotAllowed as error:
            raise Refused("forbidden") from error

    def _listen(self, connection: Connection) -> None:
        self._hub.listen(connection, audible_to(connection.listener, connection.channels))

    # --- what the log tells -----------------------------------------------------------------

    def apply_row(self, type_name: str, connection: Connection) -> None:
        """Obey an internal row that concerns this connection."""
        if type_name == LOGIN_ENDED:
            connection.end("logged-out")
        else:
            connection.hold(self._hub.last)
            self._start_chore(self._recheck(connection))

    async def _recheck(self, connection: Connection) -> None:
        """Ask again who the listener is and what it may hear; the caller had events held back."""
        try:
            async with connection.changing:
                channels = tuple(connection.channels.values())
                # Not in the pool: nobody may put off the end of a login by opening streams.
                found = await self._books.run(survey, connection.listener, channels)
                self._apply(connection, found)
        except Exception:
            logger.exception("A login could not be checked again; its stream is ended.")
            connection.end("restart")
        finally:
            connection.release()

    def _apply(self, connection: Connection, found: Survey) -> None:
        # One that has ended may be gone: nothing may listen for it again.
        if keep_rights(connection, found):
            self._hub.listen_anew(connection, audible_to(connection.listener, connection.channels))
