import assert from "node:assert/strict";
import { test } from "node:test";

import { Poll } from "./poll.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a poll goes on while there is something to wait for, one request at a time", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const answers = [true, true, false];
  let asked = 0;
  const poll = new Poll(async () => answers[asked++], 1000);

  poll.start();
  poll.start();
  for (let second = 0; second < 6; second += 1) {
    t.mock.timers.tick(1000);
    await settled();
  }

  assert.equal(asked, 3);
});

test("a poll that ended begins again when there is something new", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const poll = new Poll(async () => ((asked += 1), false), 1000);

  for (let turn = 0; turn < 2; turn += 1) {
    poll.start();
    t.mock.timers.tick(1000);
    await settled();
  }

  assert.equal(asked, 2);
});

test("a stopped poll asks no more", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const poll = new Poll(async () => ((asked += 1), true), 1000);

  poll.start();
  poll.stop();
  poll.start();
  t.mock.timers.tick(5000);
  await settled();

  assert.equal(asked, 0);
});
