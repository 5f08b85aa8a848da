"""The AMQP bridge while everything dies: a thousand messages each way, on SQLite and PostgreSQL.

Once in peace, for its speed; then RabbitMQ and the bridge are killed and started again meanwhile.
"""

import json
import os
import subprocess
import sys
import tempfile

import psycopg

from benchmarks.product import durable_postgres
from benchmarks.report import Row, Table
from tests.support.machine import ROOT
from tests.support.processes import dying_with_parent

MESSAGES = 1000
# How often the broker and the bridge are killed.
PLANS = ((0, 0), (3, 3))


def run() -> Table:
    """One row for each database and plan; RuntimeError where anything was lost."""
    table = Table(f"The AMQP bridge, {MESSAGES} messages each way")
    with durable_postgres() as server, tempfile.TemporaryDirectory() as folder:
        for number, (broker_kills, bridge_kills) in enumerate(PLANS):
            _measure(table, f"sqlite:///{folder}/{number}.sqlite3", broker_kills, bridge_kills)
            _measure(table, _empty_database(server, number), broker_kills, bridge_kills)
    return table


def _measure(table: Table, database_url: str, broker_kills: int, bridge_kills: int) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
    }
    migrate = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
    numbers = [str(number) for number in (MESSAGES, broker_kills, bridge_kills)]
    storm = subprocess.run(
        dying_with_parent([sys.executable, "-m", "tests.availability", *numbers]),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    if storm.returncode:
        raise RuntimeError(f"Something was lost, applied twice or out of order: {storm.stdout}")
    summary = json.loads(storm.stdout)
    row: Row = {"database": database_url.partition(":")[0], **summary}
    row["messages/s each way"] = MESSAGES / summary["seconds"]
    table.rows.append(row)


def _empty_database(server: str, number: int) -> str:
    name = f"bridge_{number}"
    with psycopg.connect(server, autocommit=True) as administration:
        administration.execute(f"CREATE DATABASE {name}".encode())
    return f"{server.rpartition('/')[0]}/{name}"
