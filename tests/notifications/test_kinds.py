"""Who is told of what, and who is not: never whoever did it themselves."""

import pytest

from marketplace.accounts.models import User
from orders.cart import CartLine
from orders.models import Order
from orders.services import place_orders, transition_order
from products.services import change_stock
from products.suggestions.services import answer_suggestion
from realtime.notifications.models import Notification
from realtime.notifications.services import mark_all_read
from securechat.services import close_session, open_session, rekey_session
from tests.notifications.things import told
from tests.orders.things import Status, make_order
from tests.products.things import make_product
from tests.suggestions.things import suggest


def only(user: User) -> Notification:
    """The one notification of that user."""
    return Notification.objects.get(user=user)


def test_it_tells_each_seller_of_a_cart(buyer: User, seller: User, other_seller: User) -> None:
    pot, cup = make_product(seller, title="Teapot"), make_product(seller, title="Cup")
    clock = make_product(other_seller, title="Clock")
    lines = [CartLine(product_id=product.pk, quantity=2) for product in (pot, cup, clock)]
    mine, theirs = place_orders(buyer=buyer, lines=lines)

    assert only(seller).title == f"New order {mine.pk} from buyer: €50.00"
    assert only(seller).text == "2\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}Teapot and 1 more"
    assert only(seller).url == f"/orders/{mine.pk}"
    assert only(other_seller).title == f"New order {theirs.pk} from buyer: €25.00"
    assert only(other_seller).text == "2\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}Clock"
    assert told(buyer) == []


@pytest.mark.parametrize(
    ("status", "to", "actor", "title"),
    [
        ("pending", "confirmed", "seller", "Order {} is confirmed"),
        ("confirmed", "shipped", "seller", "Order {} is on its way"),
        ("confirmed", "cancelled", "seller", "Order {} is cancelled"),
        ("shipped", "delivered", "buyer", "Order {} has arrived"),
        ("pending", "cancelled", "buyer", "Order {} is cancelled"),
    ],
)
def test_it_tells_the_other_one_of_a_step(
    buyer: User, seller: User, staff: User, status: str, to: str, actor: str, title: str
) -> None:
    order = make_order(buyer, make_product(seller), status=Status(status))
    Notification.objects.all().delete()
    by, other = (buyer, seller) if actor == "buyer" else (seller, buyer)
    transition_order(order_id=order.pk, to=Status(to), by=by, reason="Because.")

    assert told(other) == [("order-status", title.format(order.pk))]
    assert only(other).text == "Because."
    assert only(other).url == f"/orders/{order.pk}"
    assert told(by) == told(staff) == []


def test_it_tells_of_an_order_that_was_made_by_hand(buyer: User, seller: User) -> None:
    order = Order(buyer=buyer, seller=seller, total=5, currency="EUR")
    order.save()
    transition_order(order_id=order.pk, to=Status.CONFIRMED, by=seller)
    assert told(buyer) == [("order-status", f"Order {order.pk} is confirmed")]
    assert only(buyer).text == ""


def test_it_tells_both_of_what_staff_did(buyer: User, seller: User, staff: User) -> None:
    order = make_order(buyer, make_product(seller))
    Notification.objects.all().delete()
    transition_order(order_id=order.pk, to=Status.CONFIRMED, by=staff)
    said = [("order-status", f"Order {order.pk} is confirmed")]
    assert told(buyer) == told(seller) == said
    assert told(staff) == []


def test_it_tells_of_no_step_that_was_refused(buyer: User, seller: User) -> None:
    order = make_order(buyer, make_product(seller), status=Status.SHIPPED)
    Notification.objects.all().delete()
    with pytest.raises(Exception, match="illegal_transition"):
        transition_order(order_id=order.pk, to=Status.CONFIRMED, by=seller)
    assert not Notification.objects.exists()


def test_it_tells_the_seller_once_that_stock_runs_low(buyer: User, seller: User) -> None:
    pot = make_product(seller, title="Teapot", stock=7, low_stock_threshold=5)
    for change in (-1, -2, -1, 3, -3, 3):
        change_stock(product_id=pot.pk, by=seller, change=change)
    assert told(seller) == [("stock-low", "Almost gone: Teapot")]
    mark_all_read(user_id=seller.pk)
    change_stock(product_id=pot.pk, by=seller, change=-2)
    assert told(seller) == [("stock-low", "Almost gone: Teapot")] * 2
    said = Notification.objects.values_list("text", "url")
    assert list(said) == [("4 are left.", f"/products/{pot.pk}")] * 2
    assert told(buyer) == []


def test_it_tells_the_seller_that_a_product_is_sold_out(buyer: User, seller: User) -> None:
    pot = make_product(seller, title="Teapot", stock=7)
    make_order(buyer, pot, quantity=7)
    assert ("stock-low", "Sold out: Teapot") in told(seller)


def test_it_tells_the_author_of_an_answer(buyer: User, seller: User, staff: User) -> None:
    suggestion = suggest(buyer, make_product(seller), title="A smaller one")
    for text in ("In Mai.", "In May.", "In May."):
        answer_suggestion(suggestion_id=suggestion.pk, by=seller, text=text)
    assert told(buyer) == [("suggestion-answered", "seller answered your suggestion")]
    assert only(buyer).text == "A smaller one"
    assert only(buyer).url == f"/suggestions/{suggestion.pk}"

    own = suggest(staff)
    answer_suggestion(suggestion_id=own.pk, by=staff, text="Yes.")
    assert told(staff) == told(seller) == []


def test_it_tells_the_other_one_of_a_secure_channel(
    buyer: User, seller: User, other_buyer: User
) -> None:
    pot = make_product(seller, title="Teapot")
    session = open_session(product_id=pot.pk, by=buyer).session
    assert told(seller) == [("secure-channel", "buyer opened a secure channel with you")]
    assert only(seller).text == "About Teapot"
    assert only(seller).url == f"/chat/{session.pk}"

    # It is open already, and new keys are no news for people.
    open_session(product_id=pot.pk, by=buyer)
    rekey_session(session_id=session.pk, by=buyer, epoch=1)
    close_session(session_id=session.pk, by=buyer)
    assert len(told(seller)) == 1
    open_session(product_id=pot.pk, by=seller, buyer_id=buyer.pk)
    assert told(buyer) == [("secure-channel", "seller opened a secure channel with you")]
    assert len(told(seller)) == 1
    assert told(other_buyer) == []
