"""LangChain's and LlamaIndex's splitters, run by the Python of their own environment; imports nothing of the product.

Reads one JSON object a line, `{"rival": ..., "path": ..., "answer": ...}`, writes the chunks' texts to the file
`answer` as JSON, and prints the processor seconds that they took.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

SIZE, OVERLAP = 500, 50
ENCODING = "cl100k_base"
Split = Callable[[Path], list[str]]


def rivals() -> dict[str, Split]:
    """Return the contenders by name; each reads a file and returns its chunks."""
    import llama_index.core

    # LlamaIndex brings the vocabulary with it, so that nothing is downloaded.
    os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(llama_index.core.__file__).parent / "_static" / "tiktoken_cache")
    import pypdf
    import tiktoken
    from langchain_core.documents import Document
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from llama_index.core.node_parser import SentenceSplitter

    recursive = RecursiveCharacterTextSplitter.from_tiktoken_encoder(ENCODING, chunk_size=SIZE, chunk_overlap=OVERLAP)
    tokens = tiktoken.get_encoding(ENCODING).encode
    sentences = SentenceSplitter(chunk_size=SIZE, chunk_overlap=OVERLAP, tokenizer=tokens)

    def pages_with_pypdf(path: Path) -> list[str]:
        """What LangChain's loader for pypdf does: a document per page, which the splitter takes together."""
        pages = [
            Document(page.extract_text(), metadata={"page": n}) for n, page in enumerate(pypdf.PdfReader(path).pages)
        ]
        return [chunk.page_content for chunk in recursive.split_documents(pages)]

    return {
        "langchain_recursive": lambda path: recursive.split_text(path.read_text()),
        "llamaindex_sentences": lambda path: sentences.split_text(path.read_text()),
        "langchain_pypdf": pages_with_pypdf,
    }


def serve() -> None:
    """Answer until the input ends."""
    known = rivals()
    for line in sys.stdin:
        request = json.loads(line)
        begin = time.process_time()
        chunks = known[request["rival"]](Path(request["path"]))
        seconds = time.process_time() - begin
        Path(request["answer"]).write_text(json.dumps(chunks))
        print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    serve()
