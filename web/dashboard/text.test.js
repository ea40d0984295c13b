import assert from "node:assert/strict";
import { test } from "node:test";

import { fieldsOf } from "./api.js";
import { embedSnippet } from "./embed.js";
import { bytes, counted, lines, milliseconds, money, sentence } from "./format.js";
import { placeOf } from "./routes.js";
import { refusalOf } from "./upload.js";

test("sizes, times, money and counts read well", () => {
  assert.equal(bytes(512, "en"), "512 bytes");
  assert.equal(bytes(14_200, "en"), "14 kB");
  assert.equal(bytes(1_440_000, "en"), "1.4 MB");
  assert.equal(milliseconds(640), "640 ms");
  assert.equal(milliseconds(2_140), "2.1 s");
  assert.equal(milliseconds(null), "–");
  assert.equal(money(0, "en"), "$0.00");
  assert.equal(money(371, "en"), "$0.000371");
  assert.equal(money(1_250_000, "en"), "$1.25");
  assert.equal(counted(1, "chunk"), "1 chunk");
  assert.equal(sentence("a key needs a name"), "A key needs a name.");
  assert.equal(sentence("Is it there?"), "Is it there?");
  assert.equal(counted(1204, "chunk"), "1,204 chunks");
});

test("lines are trimmed and empty ones left out", () => {
  assert.deepEqual(lines(" a \n\n b"), ["a", "b"]);
});

test("the store's refusals become sentences, and one that is not known still says its code", () => {
  assert.equal(refusalOf(400, "<Error><Code>EntityTooLarge</Code></Error>"), "The file is larger than allowed.");
  assert.match(refusalOf(403, "<Error><Code>AccessDenied</Code></Error>"), /run out/);
  assert.equal(refusalOf(400, "<Error><Code>toString</Code></Error>"), "The store refused the file (toString).");
  assert.match(refusalOf(503, ""), /has a problem/);
  assert.equal(refusalOf(418, "not XML"), "The store refused the file (status 418).");
});

test("an error is shown at the fields it names", () => {
  assert.deepEqual([...fieldsOf({ field: "model" }, "needs text")], [["model", "needs text"]]);
  assert.deepEqual([...fieldsOf({ fields: [{ field: "max_tokens", message: "an integer" }] }, "")], [["max_tokens", "An integer."]]);
  assert.equal(fieldsOf({}, "away").size, 0);
});

test("the address names a place, and an unknown one leads to the first", () => {
  assert.deepEqual(placeOf("#conversations/c1"), { name: "conversations", id: "c1" });
  assert.deepEqual(placeOf("#keys"), { name: "keys", id: null });
  assert.deepEqual(placeOf("#nonsense/1"), { name: "documents", id: null });
  assert.deepEqual(placeOf(""), { name: "documents", id: null });
});

test("the code to embed names the script beside the dashboard", () => {
  const snippet = embedSnippet("pk_live_1", "https://chat.example/");
  assert.equal(snippet, '<script src="https://chat.example/widget.js" data-key="pk_live_1" async></script>');
});
