"""A BERT sentence encoder in numpy, for the shape of all-MiniLM-L6-v2.

Texts are laid end to end, so that nothing is padded: all tokens share the matrix products, and only attention looks
at one text at a time. Importing this module loads numpy and the tokenizer.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# These matrices are too small to be shared out between cores: threads of the library would mostly wait for each
# other, spinning. Whole passes are shared out instead. It is read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

Floats = NDArray[np.float32]

HEADS = 12
WINDOW = 256  # tokens of a text that count, the two special ones included
TOKENS_PER_PASS = 2048  # bounds the memory of a pass to some 20 MB
GELU_ROWS = 32
EPSILON = np.float32(1e-12)


@dataclass(frozen=True, slots=True)
class Linear:
    """A matrix product and a sum."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        """Return `x @ weight + bias`."""
        y: Floats = x @ self.weight
        y += self.bias
        return y


@dataclass(frozen=True, slots=True)
class Norm:
    """Layer normalisation."""

    gain: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        """Bring each row to mean 0 and variance 1, then to the learnt ones, in place."""
        x -= x.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", x, x) / np.float32(x.shape[1])
        x *= (1 / np.sqrt(variance + EPSILON))[:, None]
        x *= self.gain
        x += self.bias
        return x


@dataclass(frozen=True, slots=True)
class Layer:
    """Attention within each text, then two linear steps for each token."""

    query_key_value: Linear  # one product instead of three; the query's part already divided by sqrt(head width)
    attended: Linear
    attention_norm: Norm
    widen: Linear
    narrow: Linear
    output_norm: Norm

    def __call__(self, x: Floats, lengths: Sequence[int]) -> Floats:
        """Return new vectors for the tokens of texts of these lengths, laid end to end."""
        attended = self.attended(_attention(self.query_key_value(x), lengths))
        attended += x
        x = self.attention_norm(attended)
        narrowed = self.narrow(gelu(self.widen(x)))
        narrowed += x
        return self.output_norm(narrowed)


class Bert:
    """The encoder with its tokenizer; safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer, weights: dict[str, Floats]) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(WINDOW)
        self._words = weights["embeddings.word_embeddings.weight"]
        # Every token is of the first type here, so that its vector joins the position's once and for all.
        self._positions = (
            weights["embeddings.position_embeddings.weight"][:WINDOW]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = _norm(weights, "embeddings.LayerNorm")
        count = sum(name.endswith("intermediate.dense.weight") for name in weights)
        self._layers = [_layer(weights, f"encoder.layer.{number}.") for number in range(count)]

    @classmethod
    def load(cls, folder: Path) -> "Bert":
        """Read `tokenizer.json` and `model.safetensors` from a folder."""
        return cls(Tokenizer.from_file(str(folder / "tokenizer.json")), load_file(folder / "model.safetensors"))

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit-length vector per text, in order."""
        passes = list(_passes([encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]))
        if len(passes) < 2:
            return [vector for some in passes for vector in self._forward(some).tolist()]
        with ThreadPoolExecutor(os.cpu_count()) as cores:
            return [vector for vectors in cores.map(self._forward, passes) for vector in vectors.tolist()]

    def _forward(self, texts: Sequence[Sequence[int]]) -> Floats:
        lengths = [len(text) for text in texts]
        x: Floats = self._words[np.concatenate(texts)]
        x += np.concatenate([self._positions[:length] for length in lengths])
        x = self._norm(x)
        for layer in self._layers:
            x = layer(x, lengths)
        starts = np.cumsum([0, *lengths[:-1]])
        sums: Floats = np.add.reduceat(x, starts, axis=0)  # the length of a sum is lost below: no need for the mean
        sums /= np.linalg.norm(sums, axis=1, keepdims=True)
        return sums


def gelu(x: Floats) -> Floats:
    """Turn each x into x * P(a normal variable < x), within 3e-7, in place; some rows at a time stay in the cache."""
    for start in range(0, len(x), GELU_ROWS):
        _gelu(x[start : start + GELU_ROWS])
    return x


def _gelu(x: Floats) -> None:
    """Do it for a few rows.

    The error function is formula 7.1.26 of Abramowitz and Stegun, folded into few steps:
    gelu(x) = max(x, 0) - |x| / 2 * polynomial(t) * exp(-x * x / 2), where t = 1 / (1 + p * |x| / sqrt(2)).
    """
    size = np.abs(x)
    t = size * np.float32(0.3275911 * 0.5**0.5)
    t += np.float32(1)
    np.reciprocal(t, out=t)
    tail = t * np.float32(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(coefficient)
        tail *= t
    np.multiply(x, x, out=t)
    t *= np.float32(-0.5)
    tail *= np.exp(t, out=t)
    tail *= size
    tail *= np.float32(0.5)
    np.maximum(x, 0, out=x)
    x -= tail


def _attention(query_key_value: Floats, lengths: Sequence[int]) -> Floats:
    tokens, width = query_key_value.shape[0], query_key_value.shape[1] // 3
    result = np.empty((tokens, HEADS, width // HEADS), np.float32)
    start = 0
    for length in lengths:
        end = start + length
        # (length, 3, heads, head width) -> three of (heads, length, head width)
        query, key, value = query_key_value[start:end].reshape(length, 3, HEADS, -1).transpose(1, 2, 0, 3)
        scores = query @ key.transpose(0, 2, 1)
        scores -= scores.max(axis=2, keepdims=True)
        np.exp(scores, out=scores)
        attended = scores @ value
        attended /= scores.sum(axis=2, keepdims=True)
        result[start:end] = attended.transpose(1, 0, 2)
        start = end
    return result.reshape(tokens, width)


def _passes(texts: list[list[int]]) -> Iterator[list[list[int]]]:
    some: list[list[int]] = []
    tokens = 0
    for text in texts:
        if some and tokens + len(text) > TOKENS_PER_PASS:
            yield some
            some, tokens = [], 0
        some.append(text)
        tokens += len(text)
    if some:
        yield some


def _layer(weights: dict[str, Floats], prefix: str) -> Layer:
    attention = f"{prefix}attention.self."
    query, key, value = (_linear(weights, attention + name) for name in ("query", "key", "value"))
    scale = np.float32((query.weight.shape[1] / HEADS) ** -0.5)
    return Layer(
        query_key_value=Linear(
            np.concatenate([query.weight * scale, key.weight, value.weight], axis=1),
            np.concatenate([query.bias * scale, key.bias, value.bias]),
        ),
        attended=_linear(weights, f"{prefix}attention.output.dense"),
        attention_norm=_norm(weights, f"{prefix}attention.output.LayerNorm"),
        widen=_linear(weights, f"{prefix}intermediate.dense"),
        narrow=_linear(weights, f"{prefix}output.dense"),
        output_norm=_norm(weights, f"{prefix}output.LayerNorm"),
    )


def _linear(weights: dict[str, Floats], name: str) -> Linear:
    return Linear(np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"])


def _norm(weights: dict[str, Floats], name: str) -> Norm:
    return Norm(weights[f"{name}.weight"], weights[f"{name}.bias"])
