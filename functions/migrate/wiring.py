"""Where the administrator's and the application's credentials come from: Secrets Manager."""

import json
import os
from pathlib import Path

from aws_lambda_powertools.utilities import parameters

from functions.migrate.database import Login


def administrator() -> Login:
    """Return the login that owns the schema."""
    return _login("DATABASE_ADMIN_SECRET_ARN")


def application() -> Login:
    """Return the login that the functions use."""
    return _login("DATABASE_SECRET_ARN")


def migrations_folder() -> Path:
    """Return the folder of numbered SQL files, which is part of this function's package."""
    return Path(os.environ["LAMBDA_TASK_ROOT"], "migrations")


def _login(variable: str) -> Login:
    secret = json.loads(parameters.get_secret(os.environ[variable], force_fetch=True))
    return Login(
        host=os.environ.get("DATABASE_HOST") or secret["host"],
        port=int(secret.get("port", 5432)),
        database=secret.get("dbname", "chatconnect"),
        username=secret["username"],
        password=secret["password"],
    )
