"""A shop's month, thinned: New Year with a snow week and Golden Week on five channels, by a clock that only the test moves.

The whole month, 400 orders, is `make bench-month`; both are played and counted by the same code.
"""

from __future__ import annotations

from bench.month.books import close_the_books
from bench.month.play import play
from tests.conftest import must_have
from tests.servers import dovecot


def test_what_was_owed_in_a_month_exists_once_and_the_report_says_what_the_servers_hold() -> None:
    must_have("a real Dovecot", dovecot.missing())
    for month in play(100, seed=4, hours=(10, 15, 21)):
        books = close_the_books(month)
        assert books.wrong == []
        # The month had something of everything.
        assert books.notices["sent"] >= 5
        assert books.notices["forbidden, not written"]
        assert books.replies["answered"] >= 15
        assert books.deadlines["met"]
        assert books.deadlines["late, staff were told"]
        assert sum(books.clock.values())
