"""How embedding models are named."""

import pytest

from chatconnect.adapters.minilm import MiniLmEmbedder
from chatconnect.adapters.openai_embeddings import OpenAIEmbedder
from chatconnect.assembly import LOCAL_EMBEDDINGS
from chatconnect.domain.embedding import EmbeddingModel
from chatconnect.domain.errors import Invalid
from chatconnect.domain.secret import Secret


@pytest.mark.parametrize("name", ["text-embedding-3-small", "intfloat/e5.large", "a/b/c"])
def test_a_model_is_read_back_from_its_text(name: str) -> None:
    model = EmbeddingModel("openai", name, 1536)

    assert EmbeddingModel.parse(str(model)) == model


@pytest.mark.parametrize("text", ["", "openai", "openai/1536", "openai/small/", "openai/small/large", "/small/3"])
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        EmbeddingModel.parse(text)


def test_the_names_of_collections_are_those_of_the_embedders() -> None:
    openai = OpenAIEmbedder(Secret("sk"), model="org/embed.v2", dimensions=256)
    local = MiniLmEmbedder()

    assert EmbeddingModel("openai", "org/embed.v2", 256).key == openai.name == "org_embed_v2-256"
    assert (LOCAL_EMBEDDINGS.key, LOCAL_EMBEDDINGS.dimensions) == (local.name, local.dimensions)
