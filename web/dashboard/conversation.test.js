import assert from "node:assert/strict";
import { test } from "node:test";

import { versionText } from "./conversation.js";

test("a version says what it is one of", () => {
  assert.equal(versionText("user", 1, 2), "Question 1 of 2");
  assert.equal(versionText("assistant", 3, 3), "Answer 3 of 3");
});
