"""What accounts tells whoever listens, always inside the transaction that makes it true."""

from django.dispatch import Signal

# A login ended: logout, password change, deactivation, deletion of the login or its user, or the
# reuse of a refresh token. Sent once for each login. Not sent for one that merely expires.
# Argument: login_id (str, the login's UUID).
login_ended = Signal()

# Role, staff or superuser status or activity of a user changed. Not sent for other fields, nor
# for QuerySet.update(). Argument: user_id (int).
user_changed = Signal()
