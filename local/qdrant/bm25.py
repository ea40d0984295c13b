"""BM25 vectors from text, as a Qdrant server makes them of `Document(model="qdrant/bm25")`."""

from functools import lru_cache
from typing import Any

import orjson
import qdrant_edge as edge

from local.qdrant.body import given, need, one_of, take
from local.qdrant.errors import BadRequest

MODEL = "qdrant/bm25"

_TOKENIZERS = {
    "prefix": edge.TokenizerType.Prefix,
    "whitespace": edge.TokenizerType.Whitespace,
    "word": edge.TokenizerType.Word,
    "multilingual": edge.TokenizerType.Multilingual,
}
_OPTIONS = (
    "k", "b", "avg_len", "language", "lowercase", "ascii_folding", "min_token_len", "max_token_len",
)  # fmt: skip


def is_document(value: Any) -> bool:
    """Say whether a vector is given as text for the server to embed."""
    return isinstance(value, dict) and "text" in value and "model" in value


def embed_document(body: Any) -> edge.SparseVector:
    """Return the vector to store for a text: term frequencies, saturated and normalised by length."""
    model, text = _model_and_text(body)
    return model.embed_document(text)


def embed_query(body: Any) -> edge.SparseVector:
    """Return the vector to search with for a text: each distinct token once."""
    model, text = _model_and_text(body)
    return model.embed_query(text)


def _model_and_text(body: Any) -> tuple[edge.Bm25, str]:
    text, name, options = take(body, "document", "text", "model", "options")
    if not isinstance(name, str) or name.lower() != MODEL:
        raise BadRequest(f"Service error: only the model {MODEL} can be computed here, not {name!r}")
    return _model(orjson.dumps(options or {}, option=orjson.OPT_SORT_KEYS)), need(text, "text")


@lru_cache(maxsize=64)  # making a model reads its stop words; texts come by the hundred
def _model(options: bytes) -> edge.Bm25:
    *values, tokenizer, stemmer, stopwords = take(
        orjson.loads(options), "options", *_OPTIONS, "tokenizer", "stemmer", "stopwords"
    )
    config = given(_OPTIONS, values)
    if tokenizer is not None:
        config["tokenizer"] = one_of(_TOKENIZERS, tokenizer, "tokenizer")
    if stemmer is not None:
        config["stemmer"] = _stemmer(stemmer)
    if stopwords is not None:
        config["stopwords"] = _stopwords(stopwords)
    return edge.Bm25(edge.Bm25Config(**config))


def _stemmer(body: Any) -> edge.DisabledStemmer | edge.SnowballParams:
    kind, language = take(body, "stemmer", "type", "language")
    if kind == "none":
        return edge.DisabledStemmer()
    if kind != "snowball" or not isinstance(language, str):
        raise BadRequest("Format error in JSON body: stemmer needs type `none`, or `snowball` and a language")
    return edge.SnowballParams(one_of(_names(edge.SnowballLanguage), language, "stemmer.language"))


def _stopwords(body: Any) -> Any:
    languages = _names(edge.Language)
    if isinstance(body, str):
        return one_of(languages, body, "stopwords")
    named, custom = take(body, "stopwords", "languages", "custom")
    return edge.StopwordsSet(
        languages={one_of(languages, each, "stopwords.languages") for each in named or ()},
        custom=set(custom or ()),
    )


def _names(enumeration: Any) -> dict[str, Any]:
    return {name.lower(): getattr(enumeration, name) for name in dir(enumeration) if name[0].isupper()}
