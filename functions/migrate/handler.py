"""A deployment in, an up-to-date database out. An error stops the deployment."""

from typing import Any

from aws_lambda_powertools import Logger

from functions.migrate.database import apply_migrations, set_application_password
from functions.migrate.wiring import administrator, application, migrations_folder

logger = Logger()


def handler(_event: dict[str, Any], _context: object) -> dict[str, str]:
    """Apply what is new, then make sure that the functions' role exists with the password of its secret."""
    owner, role = administrator(), application()
    logger.info(apply_migrations(owner, migrations_folder()))
    set_application_password(owner, role)
    return {"role": role.username}
