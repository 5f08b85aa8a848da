"""python -m benchmarks.people COUNT: makes so many users, each logged in, and prints their ids and
access tokens, one user a line.

Not over REST, where each password costs a third of a second on purpose.
"""

import secrets
import sys
from collections.abc import Iterator

import django


def make_people(count: int) -> Iterator[tuple[int, str]]:
    """New buyers with a login each: (id, access token)."""
    from django.contrib.auth.hashers import make_password

    from marketplace.accounts.models import Login, User
    from marketplace.accounts.tokens import expiry, new_refresh_token

    prefix = secrets.token_hex(4)
    names = [f"bench-{prefix}-{number}" for number in range(count)]
    users = User.objects.bulk_create(
        User(username=name, email=f"{name}@x.example", password=make_password(None))
        for name in names
    )
    logins = [Login(user=user) for user in users]
    refresh_tokens = [new_refresh_token(user_id=login.user_id, sid=login.sid) for login in logins]
    for login, refresh in zip(logins, refresh_tokens, strict=True):
        login.refresh_jti, login.expires_at = refresh["jti"], expiry(refresh)
    Login.objects.bulk_create(logins)
    for user, refresh in zip(users, refresh_tokens, strict=True):
        yield user.pk, str(refresh.access_token)


if __name__ == "__main__":
    django.setup()
    for pk, token in make_people(int(sys.argv[1])):
        print(pk, token)
