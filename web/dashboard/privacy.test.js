import assert from "node:assert/strict";
import { test } from "node:test";

import { daysIn, storeLines } from "./privacy-view.js";

test("an empty period is for ever", () => {
  assert.equal(daysIn(" "), null);
  assert.equal(daysIn("30"), 30);
});

test("a period that is no number is sent as it is, for the server to refuse, and not as for ever", () => {
  assert.equal(daysIn("?"), "?");
});

test("a receipt says of each store what was found, erased and left", () => {
  const stores = { postgres: { found: 12, erased: 12, left: 0 }, s3: { found: 1, erased: 1, left: 0 } };
  assert.deepEqual(storeLines({ stores }), ["postgres: 12 found, 12 erased, 0 left", "s3: 1 found, 1 erased, 0 left"]);
});
