"""Who lives in the demo. Their password is public, so they exist for debugging alone."""

from typing import NamedTuple

from django.contrib.auth.hashers import check_password

from marketplace.accounts.models import User

PASSWORD = "market-demo"  # noqa: S105 public on purpose: printed, and refused on a public host


class Person(NamedTuple):
    """One demo login; sellers are named after their shop."""

    username: str
    role: str
    introduction: str
    name: str = ""
    line1: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""

    @property
    def shipping_address(self) -> dict[str, str] | None:
        """The address that orders of goods go to; None for those who only sell."""
        if not self.line1:
            return None
        return {
            "name": self.name,
            "line1": self.line1,
            "line2": "",
            "postalCode": self.postal_code,
            "city": self.city,
            "country": self.country,
        }


SELLERS = [
    Person("nordlys", "seller", "sells things for the home"),
    Person("wayfarer", "seller", "sells what one takes along, and bicycles"),
    Person("grand-tours", "seller", "sells city tours with a number of seats"),
]
BUYERS = [
    Person("anna", "buyer", "buys", "Anna Berg", "Lindenweg 4", "10115", "Berlin", "DE"),
    Person("benoit", "buyer", "buys", "Benoît Roux", "12 rue des Lilas", "75011", "Paris", "FR"),
    Person("chiara", "buyer", "buys", "Chiara Neri", "Via Roma 31", "10121", "Torino", "IT"),
]
STAFF = Person("admin", "buyer", "is staff: sees everything, and /admin/")
EVERYBODY = [*SELLERS, *BUYERS, STAFF]


def demo_logins() -> list[str]:
    """Usernames of this database that let anybody in with the public demo password."""
    usernames = [person.username for person in EVERYBODY]
    users = User.objects.filter(username__in=usernames, is_active=True)
    # The demo gives everybody the same hash: one slow check instead of seven.
    opens = {encoded: check_password(PASSWORD, encoded) for encoded in {u.password for u in users}}
    return [user.username for user in users if opens[user.password]]
