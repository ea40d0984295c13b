"""Servers that only pass a provider's stream on, as contenders: they are asked in OpenAI's own protocol."""

import json
import random

from bench.load import post
from bench.machine import child
from bench.rounds import Contender, Load
from bench.texts import question


def relay(name: str, command: str, port: int) -> Contender:
    """Return the relay at a port as a contender; `command` is a word of its command line that no other server has."""

    def request(what: Load) -> bytes:
        message = {"role": "user", "content": question(random.Random(1))}
        body = {"model": what.model, "stream": True, "messages": [message]}
        return post("/v1/chat/completions", port, json.dumps(body).encode(), ["Authorization: Bearer sk-scripted"])

    return Contender(name, port, child(command), request, b"[DONE]")
