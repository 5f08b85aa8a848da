"""The PostgreSQL of the benchmarks, and what is counted of the queries that it gets."""

import time

import psycopg

from benchmarks.product import DURABLE, durable_postgres
from benchmarks.queries import SETTINGS, Queries, counting


def test_it_counts_queries_but_none_that_number_events() -> None:
    with durable_postgres(SETTINGS) as url:
        with psycopg.connect(url, autocommit=True) as administration:
            for setting in DURABLE:
                assert administration.execute(f"SHOW {setting}".encode()).fetchone() == ("on",)
            administration.execute("CREATE DATABASE other")
        other = f"{url.rpartition('/')[0]}/other"
        with counting(url) as queries, psycopg.connect(other) as connection:
            connection.execute("CREATE TABLE realtime_outboxevent (id int)")
            for number in range(3):
                connection.execute(f"SELECT {number}".encode())
            connection.execute("DELETE FROM realtime_outboxevent")
            connection.commit()
        assert queries.between(0, time.monotonic()) == 3


def test_it_loses_no_query_of_the_first_and_last_moments() -> None:
    queries = Queries()
    for moment, count in ((1.0, 10), (2.0, 15), (3.0, 18), (4.0, 30)):
        queries.note(moment, count)
    assert queries.between(1.5, 2.5) == 8
    assert queries.between(2.0, 3.0) == 3
    assert queries.between(0.0, 9.0) == 20
