#!/bin/sh
# Starts the streaming chat server, the same on AWS (under the Lambda Web Adapter) and on one machine.
exec python -m uvicorn functions.chat.handler:app --host "${HOST:-127.0.0.1}" --port "${PORT:-8080}" \
  --loop uvloop --http httptools --no-access-log --no-server-header --timeout-graceful-shutdown 5
