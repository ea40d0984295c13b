"""Searching the knowledge over the API: what is found says why."""

from tests.integration.api.clients import Company


async def test_a_result_says_which_part_found_it_and_by_which_terms(company: Company) -> None:
    await company.ingested("codes.txt", b"The error ZX-4711 means that the lighthouse lamp is worn out.")

    [first, *_] = await company.found("what is error zx4711 of the lamps")

    explanation = first["explanation"]
    assert {"error", "zx4711", "lamp"} <= set(explanation["terms"])
    assert explanation["sparse"]["rank"] == 1
    assert explanation["sparse"]["score"] > 0
    assert 0 < explanation["dense"]["score"] <= 1
