/** The assistant's configuration. */

import { element } from "./dom.js";
import { area, field, form, input, select } from "./form.js";
import { notice } from "./notices.js";
import { empty, fill, page } from "./view.js";

const PROVIDERS = [
  ["offline", "Offline: quotes the best passages"],
  ["openai", "OpenAI, or a compatible server"],
  ["anthropic", "Anthropic"],
];

/** @param {import("./api.js").Api} api */
export function assistantView(api) {
  const place = element("div");
  const close = fill(place, async (signal) => {
    const { assistants } = await api.get("/assistants", {}, signal);
    if (assistants.length === 0) return [empty("spark", "No assistant", "This company has no assistant.")];
    return chooser(api, assistants);
  });
  return { node: page("Assistant", "Who answers your visitors, with which model, and how.", place), close };
}

/** The form of one assistant, with a choice before it when there are several. */
function chooser(api, assistants) {
  const place = element("div", {}, assistantForm(api, assistants[0]));
  if (assistants.length === 1) return [place];
  const options = assistants.map(({ id, name, is_default: isDefault }) => [id, isDefault ? `${name} (default)` : name]);
  const choice = select(assistants[0].id, options);
  choice.addEventListener("change", () => {
    place.replaceChildren(assistantForm(api, assistants.find(({ id }) => id === choice.value)));
  });
  return [field("assistant", "Assistant", choice), place];
}

function assistantForm(api, stored) {
  const controls = {
    name: input(stored.name, { autocomplete: "off" }),
    provider: select(stored.provider, PROVIDERS),
    model: input(stored.model, { spellcheck: "false", autocomplete: "off" }),
    base_url: input(stored.base_url, { type: "url", placeholder: "The provider's own address", autocomplete: "off" }),
    access_token: input("", { type: "password", autocomplete: "off", placeholder: tokenPlaceholder(stored) }),
    temperature: input(stored.temperature, { type: "number", min: 0, max: 2, step: 0.1 }),
    max_tokens: input(stored.max_tokens, { type: "number", min: 1, step: 1 }),
    system_prompt: area(stored.system_prompt, 9),
    refusal: area(stored.refusal, 2),
  };
  const version = element("span", { class: "chip idle" }, `version ${stored.version}`);
  const save = async () => {
    const saved = await api.put(`/assistants/${stored.id}`, configurationOf(stored, valuesOf(controls)));
    Object.assign(stored, saved);
    controls.access_token.value = "";
    controls.access_token.placeholder = tokenPlaceholder(saved);
    version.textContent = `version ${saved.version}`;
    notice(`Saved and published as version ${saved.version}.`);
  };
  return form("Save and publish", groups(controls, version), save);
}

function tokenPlaceholder({ has_access_token: stored }) {
  return stored ? "•••••••• stored; type to replace it" : "None: this installation's own key is used";
}

function groups(controls, version) {
  const tokenHint = "Kept encrypted and never shown again. Another provider or base URL drops the one that is stored.";
  const promptHint = "{company}, {assistant} and {refusal} stand for your own values.";
  return [
    group("Identity", version, field("name", "Name", controls.name)),
    group("Model", null,
      element("div", { class: "pair" },
        field("provider", "Provider", controls.provider),
        field("model", "Model", controls.model)),
      field("base_url", "Base URL", controls.base_url, "Only for another server that speaks the provider's interface."),
      field("access_token", "Access token", controls.access_token, tokenHint),
      element("div", { class: "pair" },
        field("temperature", "Temperature", controls.temperature, "0 is sober, 2 is wild."),
        field("max_tokens", "Longest answer, in tokens", controls.max_tokens))),
    group("Behaviour", null,
      field("system_prompt", "System prompt", controls.system_prompt, promptHint),
      field("refusal", "When the documents do not hold the answer", controls.refusal)),
  ];
}

function group(title, remark, ...content) {
  return element("section", { class: "card group" },
    element("header", {}, element("h2", {}, title), remark), element("div", { class: "fields" }, ...content));
}

function valuesOf(controls) {
  return Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value]));
}

/** The whole configuration to save: what the form does not show stays as it is stored. */
export function configurationOf(stored, values) {
  const { id, version, is_default, has_access_token, created_at, updated_at, ...configuration } = stored;
  return {
    ...configuration,
    ...values,
    base_url: values.base_url.trim() || null,
    access_token: values.access_token || null,
    temperature: numberOr(values.temperature),
    max_tokens: numberOr(values.max_tokens),
  };
}

/** The number that was typed, or the text itself, which the API then refuses at its field. */
function numberOr(text) {
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}
