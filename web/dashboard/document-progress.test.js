import assert from "node:assert/strict";
import { test } from "node:test";

import { withProgress } from "./document-progress.js";

test("what the server says of a document is shown, unless it is of a version that is not", () => {
  const shown = [{ id: "a", version: 1, status: "uploaded", title: "A" }, { id: "b", version: 2, status: "ready" }];
  const said = { status: "processing", progress: { done: 1, total: 4, unit: "chunks" }, failure: null };

  const changed = withProgress(shown, { id: "a", version: 1, ...said });

  assert.deepEqual(changed, [{ id: "a", version: 1, title: "A", ...said }, shown[1]]);
  assert.equal(withProgress(shown, { id: "b", version: 1, ...said }), shown);
  assert.equal(withProgress(shown, { id: "b", version: 3, ...said }), null);
  assert.equal(withProgress(shown, { id: "c", version: 1, ...said }), null);
});
