"""Where a deployment onto the emulator finds the running stack."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from local import deploy


def test_a_deployment_goes_to_the_stack_whose_state_is_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed: list[tuple[str, Mapping[str, str]]] = []

    def note(endpoint: str, variables: Mapping[str, str]) -> dict[str, str]:
        deployed.append((endpoint, variables))
        return {"api_url": "http://127.0.0.1:1/local"}

    running = {"s3_endpoint": "http://127.0.0.1:2", "redis_url": "redis://127.0.0.1:3/0"}
    (tmp_path / "dev.json").write_text(json.dumps(running))
    monkeypatch.setenv("LOCAL_STATE", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["deploy"])
    monkeypatch.setattr(deploy, "deploy", note)

    deploy.main()

    assert deployed == [("http://127.0.0.1:2", {"REDIS_URL": "redis://127.0.0.1:3/0"})]
    assert json.loads((tmp_path / "deploy.json").read_text()) == {"api_url": "http://127.0.0.1:1/local"}
