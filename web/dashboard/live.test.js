import assert from "node:assert/strict";
import { test } from "node:test";

import { Live } from "./live.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Sockets that do as told. */
class Sockets {
  made = [];

  open = (url) => {
    const socket = { url, readyState: 0, sent: [], send: (text) => socket.sent.push(JSON.parse(text)) };
    socket.close = () => {
      socket.readyState = 3;
      socket.onclose();
    };
    socket.opens = () => {
      socket.readyState = 1;
      socket.onopen();
    };
    socket.says = (message) => socket.onmessage({ data: JSON.stringify(message) });
    this.made.push(socket);
    return socket;
  };

  get last() {
    return this.made.at(-1);
  }
}

function live(options = {}) {
  const sockets = new Sockets();
  const heard = [];
  const changes = [];
  const session = { token: "t1" };
  const made = new Live({
    session,
    addressOf: async () => "wss://live.example/prod",
    onMessage: (message) => heard.push(message),
    onChange: (connected) => changes.push(connected),
    open: sockets.open,
    ...options,
  });
  return { made, sockets, heard, changes, session };
}

test("what the server says is handed over, and answers are not", async () => {
  const { made, sockets, heard, changes } = live();
  await settled();
  sockets.last.opens();
  sockets.last.says({ type: "document", document: { id: "d1" } });
  sockets.last.says({ action: "renewed", expires_in: 900 });

  assert.equal(sockets.last.url, "wss://live.example/prod?token=t1");
  assert.deepEqual(heard, [{ type: "document", document: { id: "d1" } }]);
  assert.deepEqual(changes, [true]);
  assert.equal(made.connected, true);
  made.close();
});

test("a connection is renewed with the session's present token", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const { made, sockets, session } = live();
  await settled();
  sockets.last.opens();
  session.token = "t2";
  t.mock.timers.tick(5 * 60 * 1000);

  assert.deepEqual(sockets.last.sent, [{ action: "renew", token: "t2" }]);
  made.close();
});

test("one that ends, or is not renewed, is opened again, later each time that fails", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const { made, sockets, changes } = live();
  await settled();
  sockets.last.opens();
  sockets.last.says({ error: { code: "token_invalid" } });
  assert.deepEqual(changes, [true, false]);

  for (const [pause, count] of [[1_000, 2], [5_000, 3], [30_000, 4], [60_000, 5], [60_000, 6]]) {
    t.mock.timers.tick(pause - 1);
    await settled();
    assert.equal(sockets.made.length, count - 1);
    t.mock.timers.tick(1);
    await settled();
    assert.equal(sockets.made.length, count);
    sockets.last.close();
  }
  made.close();
});

test("where there is no address nothing is opened, and nothing after the end", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const none = live({ addressOf: async () => null });
  const ended = live();
  await settled();
  ended.made.close();
  t.mock.timers.tick(60_000);
  await settled();

  assert.equal(none.sockets.made.length, 0);
  assert.equal(ended.sockets.made.length, 1);
});
