import assert from "node:assert/strict";
import { test } from "node:test";

import { changeOf, metadataText } from "./document-details.js";
import { kindOf, metadataOf } from "./metadata-editor.js";

test("entries are texts, numbers, and yes or no", () => {
  const rows = [
    { name: "language", kind: "text", value: "de" }, { name: "year", kind: "number", value: "2026" },
    { name: "public", kind: "flag", value: "false" }, { name: "code", kind: "text", value: "007" },
    { name: "", kind: "text", value: "" }, { name: "", kind: "flag", value: "true" },
  ];
  const metadata = { language: "de", year: 2026, public: false, code: "007" };
  assert.deepEqual(metadataOf(rows), metadata);
  assert.deepEqual(Object.values(metadata).map(kindOf), ["text", "number", "flag", "text"]);
  assert.equal(metadataText(metadata), "language: de · year: 2026 · public: no · code: 007");
});

test("an entry without a name, with one that is there already, or without its number says so in its row", () => {
  const fieldsOf = (...rows) => {
    try {
      return metadataOf(rows);
    } catch (error) {
      return [...error.fields];
    }
  };
  const year = (value) => ({ name: "year", kind: "number", value });
  assert.deepEqual(fieldsOf(year("")), [["metadata.year", "This needs a number."]]);
  assert.deepEqual(fieldsOf(year("1"), year("2")), [["metadata.year", "Another entry has this name."]]);
  assert.deepEqual(fieldsOf({ name: "", kind: "text", value: "x" }), [["metadata.", "An entry needs a name."]]);
});

test("an entry may be called like something that every object has", () => {
  const rows = [{ name: "__proto__", kind: "text", value: "x" }, { name: "constructor", kind: "text", value: "y" }];
  assert.deepEqual(Object.entries(metadataOf(rows)), [["__proto__", "x"], ["constructor", "y"]]);
});

test("only what is different is replaced", () => {
  const document = { title: "Guide", metadata: { year: 2026, language: "de" } };
  assert.deepEqual(changeOf(document, "Guide", { language: "de", year: 2026 }), {});
  assert.deepEqual(changeOf(document, "Manual", { language: "de", year: 2026 }), { title: "Manual" });
  assert.deepEqual(changeOf(document, "Guide", { year: 2026 }), { metadata: { year: 2026 } });
  assert.deepEqual(changeOf(document, "Guide", { year: "2026", language: "de" }), { metadata: { year: "2026", language: "de" } });
});
