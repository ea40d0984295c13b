/** The widget's words in every language, as lines of "name = words". */

import { button, element } from "./dom.js";
import { area, field, input } from "./form.js";
import { lines } from "./format.js";

/** Texts by name as lines. @param {Record<string, string>} texts */
export function textLines(texts) {
  return Object.entries(texts).map(([name, words]) => `${name} = ${words.replaceAll("\n", " ")}`).join("\n");
}

/** The texts that lines mean; a line without "=" is an emptied text. @returns {Record<string, string>} */
export function textsOf(value) {
  return Object.fromEntries(lines(value).map((line) => {
    const at = line.indexOf("=");
    return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  }));
}

/**
 * Languages beside the widget's own, to be added and removed.
 * @param {Record<string, {texts: object, suggested_questions: string[]}>} translations
 */
export function languages(translations) {
  const node = element("div", { class: "languages" });
  const blocks = new Set();
  const add = (tag, words) => {
    const block = languageBlock(tag, words, () => {
      blocks.delete(block);
      block.node.remove();
      node.dispatchEvent(new Event("input", { bubbles: true }));
    });
    blocks.add(block);
    more.before(block.node);
    return block;
  };
  const more = button("quiet", "Add a language", () => add("", { texts: {}, suggested_questions: [] }).tag.focus());
  node.append(more);
  for (const [tag, words] of Object.entries(translations)) add(tag, words);
  const value = () => Object.fromEntries([...blocks].filter((each) => each.tag.value.trim()).map((each) => each.value()));
  return { node, get value() { return value(); } };
}

let made = 0;

function languageBlock(tag, words, remove) {
  const number = (made += 1);
  const controls = {
    tag: input(tag, { placeholder: "de", spellcheck: "false", autocomplete: "off" }),
    texts: area(textLines(words.texts), 4, { spellcheck: "false", placeholder: "greeting = Guten Tag!" }),
    questions: area(words.suggested_questions.join("\n"), 3),
  };
  const node = element("fieldset", { class: "language" },
    field(`language.${number}.tag`, "Language", controls.tag, "A language tag like de or pt-BR."),
    field(`language.${number}.texts`, "Words", controls.texts, "One per line: name = words. What is missing is said in the widget's own language."),
    field(`language.${number}.questions`, "Suggested questions", controls.questions, "One per line."),
    button("quiet", "Remove this language", remove));
  const value = () => [controls.tag.value.trim(),
    { texts: textsOf(controls.texts.value), suggested_questions: lines(controls.questions.value) }];
  return { node, tag: controls.tag, value };
}
