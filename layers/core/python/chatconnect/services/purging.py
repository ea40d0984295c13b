"""Removing what is left of a document version outside the database."""

from chatconnect.domain.knowledge import Version
from chatconnect.ports.knowledge import Documents, Points
from chatconnect.ports.uploads import Uploads


async def purge(version: Version, *, documents: Documents, points: Points, uploads: Uploads) -> None:
    """Remove a version's points and its file, then record that nothing is left. May be repeated. Raises Unavailable."""
    await points.delete_version(version.id)
    await uploads.delete(version.object_key)
    await documents.purged(version.id)
