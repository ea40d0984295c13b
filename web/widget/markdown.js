/**
 * A small, safe part of Markdown, as data: what is not understood stays text.
 * No HTML, no images; links only to the web or to a mail address.
 * Repeats are bounded, so that hostile text costs no more time than any other.
 */

const DEEPEST = 4;
const SAFE_LINKS = new Set(["http:", "https:", "mailto:"]);

const FENCE = /^\s{0,3}(```+|~~~+)/;
const HEADING = /^\s{0,3}#{1,6}\s+(.*?)\s*#*$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const QUOTE = /^\s{0,3}> ?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;

const INLINE = new RegExp(
  [
    /\\(?<escaped>[\\`*_{}[\]()#+\-.!>~|])/,
    /(?<fence>`{1,3})(?!`)(?<code>.{1,1000}?)(?<!`)\k<fence>(?!`)/,
    /!\[(?<image>[^\]]{0,500})\]\([^)]{0,2000}\)/,
    /[ \t]{0,9}\[(?<marker>\d{1,3})\](?!\()/,
    /\[(?<label>[^\]]{1,500})\]\((?<target>(?:[^()\s]|\([^()\s]{0,500}\)){1,2000})(?:\s+"[^"]{0,500}")?\)/,
    /\*\*(?=\S)(?<strong>.{1,1000}?)(?<=\S)\*\*/,
    /(?<!\w)__(?=\S)(?<strong2>.{1,1000}?)(?<=\S)__(?!\w)/,
    /\*(?=[^\s*])(?<emphasis>.{1,1000}?)(?<=[^\s*])\*/,
    /(?<!\w)_(?=[^\s_])(?<emphasis2>.{1,1000}?)(?<=[^\s_])_(?!\w)/,
    /(?<!\w)(?<address>https?:\/\/[^\s<>"'`)\]]{1,2000}[^\s<>"'`)\].,;:!?*_])/,
    /(?<newline>\n)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "gsu",
);

/**
 * Cut a text into blocks: paragraph, heading, quote, code, list, rule.
 * @param {string} text
 * @returns {object[]} each `{type, ...}`; `inline` holds text for `parseInline`, `blocks` and `items` hold blocks
 */
export function parseBlocks(text, depth = 0) {
  const lines = text.split("\n");
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = readBlock(lines, at, depth);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

function readBlock(lines, at, depth) {
  const line = lines[at];
  if (line.trim() === "") return [null, at + 1];
  if (FENCE.test(line)) return readCode(lines, at);
  if (HEADING.test(line)) return [{ type: "heading", inline: HEADING.exec(line)[1] }, at + 1];
  if (RULE.test(line)) return [{ type: "rule" }, at + 1];
  if (depth < DEEPEST && QUOTE.test(line)) return readQuote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return readList(lines, at, depth);
  return readParagraph(lines, at, depth);
}

function readCode(lines, at) {
  const fence = FENCE.exec(lines[at])[1];
  const closes = (line) => line.trim().startsWith(fence) && line.trim() === fence[0].repeat(line.trim().length);
  let end = at + 1;
  while (end < lines.length && !closes(lines[end])) end += 1;
  return [{ type: "code", code: lines.slice(at + 1, end).join("\n") }, end + 1];
}

function readQuote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inside = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [{ type: "quote", blocks: parseBlocks(inside.join("\n"), depth + 1) }, end];
}

function readList(lines, at, depth) {
  const [, margin, bullet] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(bullet);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    const indent = /^\s*/.exec(lines[end])[0].length;
    if (item && indent <= margin.length + 1) {
      if (/\d/.test(item[2]) !== ordered) break;
      items.push([item[3]]);
    } else if (!continuesList(lines, end, indent > margin.length)) {
      break;
    } else {
      items.at(-1).push(lines[end].slice(Math.min(indent, margin.length + 2)));
    }
    end += 1;
  }
  const blocks = items.map((item) => parseBlocks(item.join("\n"), depth + 1));
  return [{ type: "list", ordered, start: ordered ? Number.parseInt(bullet, 10) : 1, items: blocks }, end];
}

/** A blank line belongs to the list when the list goes on after it. */
function continuesList(lines, at, indented) {
  const line = lines[at];
  if (line.trim() !== "") return indented || !(HEADING.test(line) || FENCE.test(line) || lines[at - 1].trim() === "");
  const next = lines[at + 1] ?? "";
  return ITEM.test(next) || /^\s{2,}\S/.test(next);
}

function readParagraph(lines, at, depth) {
  let end = at + 1;
  while (end < lines.length && !interruptsParagraph(lines[end], depth)) end += 1;
  const inline = lines.slice(at, end).map((line) => line.trim());
  return [{ type: "paragraph", inline: inline.join("\n") }, end];
}

function interruptsParagraph(line, depth) {
  const kinds = depth < DEEPEST ? [FENCE, HEADING, QUOTE, ITEM] : [FENCE, HEADING];
  return line.trim() === "" || kinds.some((kind) => kind.test(line));
}

/**
 * Cut a block's text into spans: text, code, strong, emphasis, link, citation, break.
 * @param {string} text
 * @returns {object[]} each `{type, ...}`; `spans` holds what is inside
 */
export function parseInline(text, depth = 0) {
  if (depth > DEEPEST) return [{ type: "text", text }];
  const spans = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) spans.push({ type: "text", text: text.slice(at, match.index) });
    spans.push(spanOf(match, depth));
    at = match.index + match[0].length;
  }
  if (at < text.length) spans.push({ type: "text", text: text.slice(at) });
  return spans;
}

function spanOf({ 0: whole, groups }, depth) {
  const inside = (text) => parseInline(text, depth + 1);
  const strong = groups.strong ?? groups.strong2;
  const emphasis = groups.emphasis ?? groups.emphasis2;
  if (groups.escaped) return { type: "text", text: groups.escaped };
  if (groups.code) return { type: "code", code: groups.code.trim() };
  if (groups.image !== undefined) return { type: "text", text: groups.image };
  if (groups.marker) return { type: "citation", marker: groups.marker, text: whole };
  if (strong) return { type: "strong", spans: inside(strong) };
  if (emphasis) return { type: "emphasis", spans: inside(emphasis) };
  if (groups.newline) return { type: "break" };
  return linkOf(groups.target ?? groups.address, groups.label ? inside(groups.label) : null, whole);
}

function linkOf(target, spans, whole) {
  const href = safeLink(target);
  if (href) return { type: "link", href, spans: spans ?? [{ type: "text", text: target }] };
  return { type: "text", text: whole };
}

/** The address in full when a visitor may follow it, else null. */
export function safeLink(target) {
  try {
    const url = new URL(target); // no page to be relative to: a model knows none of the site's paths
    return SAFE_LINKS.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
