/** Widgets: their look, words and behaviour, and where they may appear. */

import { copyable } from "./copyable.js";
import { confirmed } from "./dialogs.js";
import { button, element } from "./dom.js";
import { embedSnippet, servedFrom } from "./embed.js";
import { area, checkbox, field, form, group, input, select, valuesOf } from "./form.js";
import { moment } from "./format.js";
import { attempt, notice } from "./notices.js";
import { empty, page, refillable } from "./view.js";
import { avatarPicker } from "./widget-avatar.js";
import { widgetPreview } from "./widget-preview.js";
import { fieldLines, otherTexts, settingsOf } from "./widget-settings.js";
import { languages, textLines } from "./widget-words.js";

const MODES = [["auto", "Automatic"], ["light", "Light"], ["dark", "Dark"]];
const VISITORS = [["all", "Everybody"], ["known", "People who are logged in"]];
const POSITIONS = [["right", "Right"], ["left", "Left"]];

/** @param {import("./api.js").Api} api */
export function widgetView(api) {
  const place = refillable(async (signal, chosen) => {
    const [{ widgets }, { assistants }] = await Promise.all([
      api.get("/widgets", {}, signal), api.get("/assistants", {}, signal),
    ]);
    const widget = widgets.find(({ id }) => id === chosen) ?? widgets.at(-1);
    const head = chooser(api, widgets, widget?.id, place.refresh);
    if (!widget) return [head, empty("widget", "No widget", "This company has no widget.")];
    return [head, widgetEditor(api, widget, assistants, place.refresh)];
  });
  place.refresh();
  return { node: page("Widget", "How the chat looks on your website, and which websites may show it.", place.node), close: place.close };
}

function chooser(api, widgets, chosen, show) {
  const choice = select(chosen, widgets.map(({ id, name }) => [id, name]));
  choice.addEventListener("change", () => show(choice.value));
  const which = field("widget", "Widget", choice);
  which.hidden = widgets.length < 2;
  const add = button("quiet", "New widget", () => attempt(async () => {
    const domains = widgets.find(({ id }) => id === choice.value)?.allowed_domains ?? [];
    const made = await api.post("/widgets", { name: `Widget ${widgets.length + 1}`, allowed_domains: domains });
    show(made.id);
  }, "The widget is made. Make a key that shows it to put it on a website."));
  return element("div", { class: "widget-chooser" }, which, add);
}

function widgetEditor(api, stored, assistants, show) {
  const { texts, theme, behaviour, lead_form: lead } = stored;
  const controls = {
    name: input(stored.name),
    assistant: select(stored.assistant_id, assistants.map(({ id, name }) => [id, name])),
    title: input(texts.title, { placeholder: "Your company's name" }),
    greeting: area(texts.greeting, 2, { placeholder: "Hi! How can I help you?" }),
    questions: area(stored.suggested_questions.join("\n"), 4),
    locale: input(stored.locale, { spellcheck: "false" }),
    texts: area(textLines(otherTexts(texts)), 4, { spellcheck: "false", placeholder: "placeholder = Ask us anything…" }),
    accent: input(theme.accent, { type: "color" }),
    on_accent: input(theme.on_accent, { placeholder: "Black or white", spellcheck: "false" }),
    mode: select(theme.mode, MODES),
    position: select(theme.position, POSITIONS),
    opens: input(behaviour.open_after_seconds, { type: "number", min: 0, step: 1, placeholder: "Never" }),
    feedback: checkbox(behaviour.feedback),
    sources: checkbox(behaviour.sources),
    lead_fields: area(fieldLines(lead), 3, { spellcheck: "false", placeholder: "email, email, required" }),
    lead_required: checkbox(lead?.required ?? false),
    lead_consent: checkbox(lead?.consent ?? true),
    visitors: select(stored.require_identity ? "known" : "all", VISITORS),
    domains: area(stored.allowed_domains.join("\n"), 4, { spellcheck: "false", placeholder: "www.example.com" }),
  };
  const translations = languages(stored.translations);
  const avatar = avatarPicker(theme.avatar_url);
  const values = () => ({
    ...valuesOf(controls),
    translations: translations.value,
    avatar: avatar.value,
  });
  const save = async () => {
    const saved = await api.put(`/widgets/${stored.id}`, settingsOf(stored, values()));
    Object.assign(stored, saved);
    controls.domains.value = saved.allowed_domains.join("\n"); // as the server understood them
    notice("Saved. Websites show it within a minute.");
  };
  const made = form("Save", groups(controls, translations, avatar), save);
  const preview = widgetPreview();
  const draw = () => preview.show(settingsOf(stored, values()));
  made.addEventListener("input", draw);
  draw();
  const aside = element("aside", { "aria-label": "Preview" },
    preview.node, embedding(api, stored), history(api, stored, show), removal(api, stored, show));
  return element("div", { class: "widget-editor" }, made, aside);
}

function groups(controls, translations, avatar) {
  const leadHint = "One per line: a name of a-z and _, its kind (text, email, tel), and “required”. Empty: no form. Labels are the texts lead_name, lead_email …";
  return [
    group("Widget", [
      field("name", "Name", controls.name, "For you; visitors never see it."),
      field("assistant_id", "Assistant", controls.assistant),
    ]),
    group("Words", [
      field("texts.title", "Title", controls.title),
      field("texts.greeting", "Greeting", controls.greeting),
      field("suggested_questions", "Suggested questions", controls.questions, "One per line, at most six."),
      field("texts", "Other words", controls.texts, "Any of the widget's words, one per line: name = words."),
      field("locale", "Language of these words", controls.locale, "Visitors whose language is none of the others read these."),
      translations.node,
    ]),
    group("Look", [
      element("div", { class: "pair three" },
        field("theme.accent", "Accent colour", controls.accent),
        field("theme.mode", "Light or dark", controls.mode),
        field("theme.position", "Side of the page", controls.position)),
      field("theme.on_accent", "Colour on the accent", controls.on_accent, "Like #ffffff, with a contrast of at least 4.5."),
      field("theme.avatar_url", "Picture", avatar.address, "An address on one of the allowed domains, or a file."),
      avatar.node,
    ]),
    group("Behaviour", [
      field("behaviour.open_after_seconds", "Opens by itself after seconds", controls.opens),
      element("div", { class: "pair" },
        field("behaviour.feedback", "Visitors rate answers", controls.feedback),
        field("behaviour.sources", "Answers show their sources", controls.sources)),
    ]),
    group("Contact form", [
      field("lead_form.fields", "Fields", controls.lead_fields, leadHint),
      element("div", { class: "pair" },
        field("lead_form.required", "Before the first question", controls.lead_required),
        field("lead_form.consent", "Ask for consent", controls.lead_consent)),
    ]),
    group("Websites", [
      field("allowed_domains", "Allowed domains", controls.domains, "One per line, like www.example.com or *.example.com. Other websites are refused, and links in answers lead nowhere else."),
      field("require_identity", "Who may chat", controls.visitors, "Your server says who is logged in, with an identity secret: see Keys."),
    ]),
  ];
}

function embedding(api, widget) {
  const code = element("div", {}, copyable(embedSnippet("pk_live_…", servedFrom()), "embed code"));
  const make = button("quiet", "Make a key for this widget", () => attempt(async () => {
    const wish = { kind: "publishable", name: widget.name, widget_id: widget.id };
    const { key } = await api.post("/keys", wish);
    code.replaceChildren(copyable(embedSnippet(key, servedFrom()), "embed code"));
  }));
  return element("section", { class: "embedding" },
    element("h2", {}, "Put it on your website"),
    code, make,
    element("p", { class: "hint" }, "Use one of your publishable keys; ",
      element("a", { href: "#keys" }, "make a new one"), " if you no longer have its text."),
    element("a", { href: new URL("demo/", servedFrom()).href, target: "_blank", rel: "noopener" }, "Open the demo page"));
}

function history(api, widget, show) {
  const list = element("ul", { class: "widget-versions" });
  const restore = (number) => attempt(async () => {
    await api.post(`/widgets/${widget.id}/versions/${number}/restore`);
    show(widget.id);
  }, `Version ${number} is back.`);
  const row = ({ number, author, created_at: at }) => element("li", {},
    `${number} · ${moment(at)} · ${author ?? "A server"} `,
    number === widget.version ? null : button("quiet", "Bring back", () => restore(number), { "aria-label": `Bring back version ${number}` }));
  const load = () => attempt(async () => {
    const { versions } = await api.get(`/widgets/${widget.id}/versions`);
    list.replaceChildren(...versions.map(row));
  });
  const opened = element("details", { ontoggle: () => opened.open && load() }, element("summary", {}, "Earlier versions"), list);
  return opened;
}

function removal(api, widget, show) {
  return button("danger", "Delete this widget", async () => {
    const text = "It disappears from every website, and keys made for it end. What visitors left in its form stays.";
    if (!(await confirmed({ title: `Delete “${widget.name}”?`, text, action: "Delete" }))) return;
    await attempt(async () => {
      await api.delete(`/widgets/${widget.id}`);
      show();
    }, "The widget is deleted.");
  });
}
