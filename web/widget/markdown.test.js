import assert from "node:assert/strict";
import { test } from "node:test";

import { parseBlocks, parseInline, safeLink } from "./markdown.js";

const text = (value) => ({ type: "text", text: value });

test("bold, italics, code and citations are understood", () => {
  assert.deepEqual(parseInline("**30 days** or *more*: `x*y*z` [1]"), [
    { type: "strong", spans: [text("30 days")] },
    text(" or "),
    { type: "emphasis", spans: [text("more")] },
    text(": "),
    { type: "code", code: "x*y*z" },
    { type: "citation", marker: "1", text: " [1]" },
  ]);
});

test("signs that are not markup stay as they are", () => {
  for (const plain of ["2 * 3 * 4", "snake_case_name", "a < b > c", "[see below]", "**unfinished", "5 ** 2"]) {
    assert.deepEqual(parseInline(plain), [text(plain)]);
  }
});

test("an escaped sign is only a sign", () => {
  const spans = parseInline("\\*not bold\\*");
  assert.equal(spans.map((span) => span.text).join(""), "*not bold*");
});

test("links lead to the web or to a mail address, with their label", () => {
  assert.deepEqual(parseInline("[terms](https://example.com/terms)"), [
    { type: "link", href: "https://example.com/terms", spans: [text("terms")] },
  ]);
  assert.equal(safeLink("mailto:help@example.com"), "mailto:help@example.com");
});

test("a bare address becomes a link without the sentence's full stop", () => {
  const [, link, rest] = parseInline("See https://example.com/a_b_c.");
  assert.equal(link.href, "https://example.com/a_b_c");
  assert.equal(rest.text, ".");
});

test("links that run code, carry data or stay on the page are no links", () => {
  const code = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x"];
  const hostile = [...code, "//evil.example", "/relative", "file:///etc/passwd"];
  for (const target of hostile) {
    assert.equal(safeLink(target), null, target);
    assert.deepEqual(parseInline(`[click](${target})`), [text(`[click](${target})`)]);
  }
});

test("an image is nothing but its description", () => {
  assert.deepEqual(parseInline("![a map](https://evil.example/pixel.png?secret)"), [text("a map")]);
});

test("HTML is text", () => {
  assert.deepEqual(parseInline("<img src=x onerror=alert(1)>"), [text("<img src=x onerror=alert(1)>")]);
});

test("paragraphs, headings, lists, quotes, code and rules are blocks", () => {
  const blocks = parseBlocks("# Title\nOne\ntwo\n\n- a\n- b\n  1. c\n\n> q\n\n---\n```js\n**x**\n```");
  assert.deepEqual(blocks.map(({ type }) => type), ["heading", "paragraph", "list", "quote", "rule", "code"]);
  assert.equal(blocks[1].inline, "One\ntwo");
  assert.equal(blocks[2].items.length, 2);
  assert.deepEqual(blocks[2].items[1].map(({ type }) => type), ["paragraph", "list"]);
  assert.equal(blocks[5].code, "**x**");
});

test("an ordered list keeps its first number and its loose items", () => {
  const [list, ...rest] = parseBlocks("3. three\n\n4. four\n   more of four");
  assert.equal(list.start, 3);
  assert.equal(list.items.length, 2);
  assert.equal(list.items[1][0].inline, "four\nmore of four");
  assert.deepEqual(rest, []);
});

test("a code block that is still being written is a code block already", () => {
  assert.deepEqual(parseBlocks("```\nhalf"), [{ type: "code", code: "half" }]);
});

test("hostile text takes no longer than other text", () => {
  const hostile = ["*", "**", "_", "`", "[", "![", "](", ">", "> ", "- ", "  - ", "[a](", "\\", "**a ", "https://"];
  for (const piece of hostile) {
    const started = performance.now();
    for (const block of parseBlocks(piece.repeat(8_000))) parseInline(block.inline ?? "");
    assert.ok(performance.now() - started < 2_000, piece);
  }
});
