/** The assistants: which there are, the configuration of one, and its versions. */

import { assistantForm } from "./assistant-form.js";
import { versionsCard } from "./assistant-versions.js";
import { confirmed } from "./dialogs.js";
import { button, element } from "./dom.js";
import { field, group, select } from "./form.js";
import { milliseconds } from "./format.js";
import { attempt, notice } from "./notices.js";
import { empty, page, refillable } from "./view.js";

/** @param {import("./api.js").Api} api */
export function assistantView(api) {
  let closeEditor = () => {};
  const place = refillable(async (signal, chosen) => {
    closeEditor();
    const [{ assistants }, { assistants: archived }] = await Promise.all([
      api.get("/assistants", {}, signal),
      api.get("/assistants", { archived: true }, signal),
    ]);
    if (assistants.length === 0) return [empty("spark", "No assistant", "This company has no assistant.")];
    const assistant = assistants.find(({ id }) => id === chosen) ?? assistants[0];
    const editor = await assistantEditor(api, assistant, () => place.refresh(assistant.id), signal);
    closeEditor = editor.close;
    return [chooser(assistants, assistant, place.refresh), actions(api, assistant, archived, place.refresh), ...editor.nodes];
  });
  place.refresh();
  return {
    node: page("Assistant", "Who answers your visitors, with which model, and how.", place.node),
    close: () => {
      place.close();
      closeEditor();
    },
  };
}

/** A choice when there are several. */
function chooser(assistants, assistant, show) {
  if (assistants.length === 1) return "";
  const options = assistants.map(({ id, name, is_default: isDefault }) => [id, isDefault ? `${name} (default)` : name]);
  const choice = select(assistant.id, options);
  choice.addEventListener("change", () => show(choice.value));
  return field("assistant", "Assistant", choice);
}

/** What can be done with the assistant as a whole. */
function actions(api, assistant, archived, show) {
  const { id, name, is_default: isDefault } = assistant;
  const doing = (work, told) => () => attempt(async () => show((await work()).id), told);
  const copy = () => api.post("/assistants", { ...assistant, name: "New assistant", note: `Copied from ${name}` });
  const archive = async () => {
    const text = "It answers nobody until you take it back. Its conversations stay readable.";
    if (!(await confirmed({ title: `Archive “${name}”?`, text, action: "Archive" }))) return;
    await doing(() => api.post(`/assistants/${id}/archive`), `“${name}” is archived.`)();
  };
  return element("div", { class: "actions assistant-actions" },
    button("quiet", "New assistant", doing(copy, "A new assistant is there: a copy of this one, without its token.")),
    ...(isDefault ? [] : [
      button("quiet", "Make it the default", doing(() => api.post(`/assistants/${id}/default`), `“${name}” is the default now.`)),
      button("quiet", "Archive", archive),
    ]),
    ...archived.map((each) => button("quiet", `Take back “${each.name}”`,
      doing(() => api.post(`/assistants/${each.id}/unarchive`), `“${each.name}” answers again.`))));
}

/** The form of one assistant, which begins with its draft if it has one, and its versions. */
async function assistantEditor(api, assistant, onPublished, signal) {
  const { id } = assistant;
  const drafted = assistant.latest_version > assistant.published_version;
  const draft = drafted ? await api.get(`/assistants/${id}/versions/${assistant.latest_version}`, {}, signal) : {};
  const state = { ...assistant, ...draft, version: assistant.latest_version };
  const chip = element("span", { class: "chip idle" }, stateText(state));
  const versions = versionsCard(api, id, onPublished);
  const save = async (wanted, publish) => {
    const saved = await saveVersion(api, state, wanted, publish);
    Object.assign(state, saved);
    chip.textContent = stateText(state);
    notice(publish ? `Saved and published as version ${saved.version}.` : `Saved as version ${saved.version}, a draft.`);
    versions.refresh();
    return saved;
  };
  const nodes = [assistantForm(state, chip, save), trialCard(api, state), versions.node];
  return { nodes, close: versions.close };
}

/** Save a configuration, unless somebody else has saved since this page read it. */
async function saveVersion(api, state, wanted, publish) {
  const { id, published_version: published, latest_version: latest } = state;
  const unchanged = (version) => ({ "If-Match": `"${version}"` });
  if (publish && latest === published) return api.put(`/assistants/${id}`, wanted, unchanged(latest));
  const draft = await api.post(`/assistants/${id}/versions`, wanted, unchanged(latest));
  Object.assign(state, { latest_version: draft.latest_version });
  if (!publish) return draft;
  return api.post(`/assistants/${id}/publish`, { version: draft.version }, unchanged(draft.version));
}

/** What the form shows: "version 3", or "draft 4 of version 3". */
export function stateText({ version, published_version: published }) {
  return version === published ? `version ${version}` : `draft ${version}; version ${published} is published`;
}

/** A button that asks the saved version's model something small. */
function trialCard(api, state) {
  const outcome = element("p", { role: "status", class: "soft" });
  const ask = button("quiet", "Test connection", async () => {
    ask.disabled = true;
    outcome.textContent = "Asking…";
    let said = "";
    await attempt(async () => (said = trialText(await api.post(`/assistants/${state.id}/test`, { version: state.version }))));
    outcome.textContent = said;
    ask.disabled = false;
  });
  const hint = "Sends one short question to the model as it was saved last.";
  return group("Connection", [element("p", { class: "hint" }, hint), element("div", {}, ask), outcome]);
}

/** What came of a trial, in a sentence. */
export function trialText({ works, model, first_answer_ms: first, failure }) {
  return works ? `${model} answers: it began after ${milliseconds(first)}.` : failure.message;
}
