/** The form of an assistant's configuration. */

import { element } from "./dom.js";
import { area, checkbox, field, form, group, input, select, valuesOf } from "./form.js";
import { lines, numberOr } from "./format.js";

const PROVIDERS = [
  ["offline", "Offline: quotes the best passages"],
  ["openai", "OpenAI, or a compatible server"],
  ["anthropic", "Anthropic"],
];

const MODERATIONS = [
  ["off", "Nobody"],
  ["rules", "The rules below, and our own"],
  ["provider", "The rules, and the model provider"],
];

/**
 * @param {object} stored the configuration to begin with
 * @param {Node} state what is said of it in the form's head
 * @param {(wanted: object, publish: boolean) => Promise<object>} save returns the saved configuration
 */
export function assistantForm(stored, state, save) {
  const controls = {
    name: input(stored.name, { autocomplete: "off" }),
    provider: select(stored.provider, PROVIDERS),
    model: input(stored.model, { spellcheck: "false", autocomplete: "off" }),
    base_url: input(stored.base_url, { type: "url", placeholder: "The provider's own address", autocomplete: "off" }),
    access_token: input("", { type: "password", autocomplete: "off", placeholder: tokenPlaceholder(stored) }),
    remove_access_token: checkbox(),
    temperature: input(stored.temperature, { type: "number", min: 0, max: 2, step: 0.1 }),
    max_tokens: input(stored.max_tokens, { type: "number", min: 1, step: 1 }),
    system_prompt: area(stored.system_prompt, 9),
    refusal: area(stored.refusal, 2),
    rerank: checkbox(stored.retrieval.rerank),
    moderation_mode: select(stored.moderation.mode, MODERATIONS),
    moderation_refusal: area(stored.moderation.refusal, 2),
    forbidden_phrases: area(stored.moderation.forbidden_phrases.join("\n"), 3),
    forbidden_patterns: area(stored.moderation.forbidden_patterns.join("\n"), 3, { spellcheck: "false", placeholder: "\\b\\d{4}([ -]?\\d{4}){3}\\b" }),
    note: input("", { autocomplete: "off", maxlength: 500 }),
  };
  const send = async (publish) => {
    const saved = await save(configurationOf(stored, valuesOf(controls)), publish);
    Object.assign(stored, saved);
    for (const name of ["access_token", "note"]) controls[name].value = "";
    controls.remove_access_token.checked = false;
    controls.access_token.placeholder = tokenPlaceholder(saved);
  };
  return form("Save and publish", groups(controls, state), () => send(true), [["Save draft", () => send(false)]]);
}

function tokenPlaceholder({ has_access_token: stored }) {
  return stored ? "•••••••• stored; type to replace it" : "None: this installation's own key is used";
}

function groups(controls, state) {
  const tokenHint = "Kept encrypted and never shown again. Another provider or base URL drops the one that is stored.";
  const promptHint = "{company}, {assistant} and {refusal} stand for your own values.";
  const rerankHint = "More exact, and a moment slower. Without such a model in this installation, or when it is late, the order stays as it is.";
  return [
    group("Identity", [field("name", "Name", controls.name)], state),
    group("Model", [
      element("div", { class: "pair" },
        field("provider", "Provider", controls.provider),
        field("model", "Model", controls.model)),
      field("base_url", "Base URL", controls.base_url, "Only for another server that speaks the provider's interface."),
      field("access_token", "Access token", controls.access_token, tokenHint),
      field("remove_access_token", "Remove the stored token", controls.remove_access_token),
      element("div", { class: "pair" },
        field("temperature", "Temperature", controls.temperature, "0 is sober, 2 is wild."),
        field("max_tokens", "Longest answer, in tokens", controls.max_tokens)),
    ]),
    group("Behaviour", [
      field("system_prompt", "System prompt", controls.system_prompt, promptHint),
      field("refusal", "When the documents do not hold the answer", controls.refusal),
      field("retrieval.rerank", "Have a second model order what is found", controls.rerank, rerankHint),
    ]),
    group("Safety", [
      field("moderation.mode", "Questions and answers are checked by", controls.moderation_mode),
      field("moderation.refusal", "Words of refusal", controls.moderation_refusal, "Said in place of what is refused, and of an answer that recites these instructions."),
      field("moderation.forbidden_phrases", "Forbidden phrases", controls.forbidden_phrases, "One per line; found inside words, too."),
      field("moderation.forbidden_patterns", "Forbidden patterns", controls.forbidden_patterns, "One regular expression per line."),
    ]),
    group("Save", [
      field("note", "What changed, and why", controls.note, "For the list of versions. Visitors never see a draft."),
    ]),
  ];
}

/** The whole configuration to save: what the form does not show stays as it is stored. */
export function configurationOf(stored, values) {
  const {
    id, version, published_version, latest_version, is_default, archived_at, has_access_token, created_at, updated_at,
    number, author, ...configuration
  } = stored;
  const {
    moderation_mode: mode, moderation_refusal: words, forbidden_phrases: phrases, forbidden_patterns: patterns, rerank, ...plain
  } = values;
  return {
    ...configuration,
    ...plain,
    ...(rerank !== undefined && { retrieval: { ...configuration.retrieval, rerank } }),
    ...(mode && { moderation: { mode, refusal: words, forbidden_phrases: lines(phrases), forbidden_patterns: lines(patterns) } }),
    base_url: values.base_url.trim() || null,
    access_token: values.access_token || null,
    temperature: numberOr(values.temperature),
    max_tokens: numberOr(values.max_tokens),
  };
}
