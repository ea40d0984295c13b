import assert from "node:assert/strict";
import { test } from "node:test";

import { EventParser, StreamStalled, readEvents } from "./sse.js";

async function eventsOf(chunks, idleMs) {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      if (idleMs === undefined) controller.close();
    },
  });
  const events = [];
  for await (const event of readEvents(body, idleMs)) events.push(event);
  return events;
}

const SOURCE =
  ': hello\r\n\r\nid: 1\r\nevent: token\r\ndata: {"text":"Grüße 🚲"}\r\n\r\n' +
  "id: 2\nevent: done\ndata: a\ndata: b\n\n";
const EVENTS = [
  { id: "1", type: "token", data: '{"text":"Grüße 🚲"}' },
  { id: "2", type: "done", data: "a\nb" },
];

test("an event is the same wherever the network cuts the bytes", async () => {
  const bytes = new TextEncoder().encode(SOURCE);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    assert.deepEqual(await eventsOf([bytes.slice(0, cut), bytes.slice(cut)]), EVENTS, `cut at ${cut}`);
  }
});

test("an event is the same when every byte comes alone", async () => {
  const bytes = new TextEncoder().encode(SOURCE);
  assert.deepEqual(await eventsOf([...bytes].map((byte) => Uint8Array.of(byte))), EVENTS);
});

test("lone carriage returns end lines too", () => {
  assert.deepEqual(new EventParser().push("data: one\r\rdata: two\r\r"), [
    { id: "", type: "message", data: "one" },
    { id: "", type: "message", data: "two" },
  ]);
});

test("an event without data and an event cut off at the end are not events", async () => {
  assert.deepEqual(await eventsOf([new TextEncoder().encode("event: token\n\ndata: unfinished\n")]), []);
});

test("only one space after the colon belongs to the format", () => {
  assert.equal(new EventParser().push("data:  two\n\n")[0].data, " two");
});

test("a stream that falls silent is given up", async () => {
  await assert.rejects(eventsOf([new TextEncoder().encode("data: one\n\n")], 20), StreamStalled);
});
