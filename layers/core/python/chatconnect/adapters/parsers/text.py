"""Plain text, in whatever encoding it comes."""

from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.encoding import decoded
from chatconnect.adapters.parsers.sections import SectionWriter
from chatconnect.domain.chunking import ParsedDocument


def parse_text(data: bytes) -> ParsedDocument:
    """Return the text as one section. Raises DocumentRejected when it is blank or too long."""
    writer = SectionWriter()
    writer.add(decoded(data))
    return writer.document(Kind.TEXT)
