"""Who is told who has a conversation open."""

from uuid import uuid4

from marketplace.accounts.models import User
from securechat.channels import told_of_presence
from tests.products.things import make_product
from tests.securechat.things import make_session


def test_it_tells_each_of_the_other_and_of_nobody_else(
    buyer: User, seller: User, other_buyer: User, staff: User
) -> None:
    session_id = str(make_session(buyer, make_product(seller)).pk)
    visits = [(session_id, user.pk) for user in (buyer, seller, other_buyer, staff)]
    visits.append((str(uuid4()), buyer.pk))
    assert told_of_presence(visits) == {
        (session_id, buyer.pk): (f"user.{seller.pk}",),
        (session_id, seller.pk): (f"user.{buyer.pk}",),
    }
