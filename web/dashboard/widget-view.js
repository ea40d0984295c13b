/** The widget's look and words, and where it may appear. */

import { element } from "./dom.js";
import { embedSnippet, servedFrom } from "./embed.js";
import { copyable } from "./copyable.js";
import { area, field, form, input, select } from "./form.js";
import { lines } from "./format.js";
import { notice } from "./notices.js";
import { empty, fill, page } from "./view.js";
import { widgetPreview } from "./widget-preview.js";

const MODES = [["auto", "Automatic"], ["light", "Light"], ["dark", "Dark"]];
const POSITIONS = [["right", "Right"], ["left", "Left"]];

/** @param {import("./api.js").Api} api */
export function widgetView(api) {
  const place = element("div");
  const close = fill(place, async (signal) => {
    const { widgets } = await api.get("/widgets", {}, signal);
    if (widgets.length === 0) return [empty("widget", "No widget", "This company has no widget.")];
    return widgets.map((widget) => widgetEditor(api, widget));
  });
  return { node: page("Widget", "How the chat looks on your website, and which websites may show it.", place), close };
}

function widgetEditor(api, stored) {
  const { texts, theme } = stored;
  const controls = {
    title: input(texts.title, { placeholder: "Your company's name" }),
    greeting: area(texts.greeting, 2, { placeholder: "Hi! How can I help you?" }),
    accent: input(theme.accent, { type: "color" }),
    mode: select(theme.mode, MODES),
    position: select(theme.position, POSITIONS),
    questions: area(stored.suggested_questions.join("\n"), 4),
    domains: area(stored.allowed_domains.join("\n"), 4, { spellcheck: "false", placeholder: "www.example.com" }),
  };
  const values = () => Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value]));
  const save = async () => {
    const saved = await api.put(`/widgets/${stored.id}`, settingsOf(stored, values()));
    Object.assign(stored, saved);
    controls.domains.value = saved.allowed_domains.join("\n"); // as the server understood them
    notice("Saved. Websites show it within a minute.");
  };
  const made = form("Save", groups(controls), save);
  const preview = widgetPreview();
  const show = () => preview.show(settingsOf(stored, values()));
  made.addEventListener("input", show);
  show();
  return element("div", { class: "widget-editor" }, made, element("aside", { "aria-label": "Preview" }, preview.node, embedding()));
}

function groups(controls) {
  return [
    group("Words",
      field("texts.title", "Title", controls.title),
      field("texts.greeting", "Greeting", controls.greeting),
      field("suggested_questions", "Suggested questions", controls.questions, "One per line, at most six.")),
    group("Look",
      element("div", { class: "pair three" },
        field("theme.accent", "Accent colour", controls.accent),
        field("theme.mode", "Light or dark", controls.mode),
        field("theme.position", "Side of the page", controls.position))),
    group("Websites",
      field("allowed_domains", "Allowed domains", controls.domains, "One per line, like www.example.com or *.example.com. Other websites are refused.")),
  ];
}

function group(title, ...content) {
  return element("section", { class: "card group" },
    element("header", {}, element("h2", {}, title)), element("div", { class: "fields" }, ...content));
}

function embedding() {
  return element("section", { class: "embedding" },
    element("h2", {}, "Put it on your website"),
    copyable(embedSnippet("pk_live_…", servedFrom()), "embed code"),
    element("p", { class: "hint" }, "Use one of your publishable keys; ",
      element("a", { href: "#keys" }, "make a new one"), " if you no longer have its text."),
    element("a", { href: new URL("demo/", servedFrom()).href, target: "_blank", rel: "noopener" }, "Open the demo page"));
}

/** The whole settings to save: what the form does not show stays as it is stored, an empty text is the widget's own. */
export function settingsOf(stored, values) {
  const texts = { ...stored.texts, title: values.title.trim(), greeting: values.greeting.trim() };
  return {
    locale: stored.locale,
    texts: Object.fromEntries(Object.entries(texts).filter(([name, text]) => text !== "" || !["title", "greeting"].includes(name))),
    theme: { ...stored.theme, accent: values.accent, mode: values.mode, position: values.position },
    suggested_questions: lines(values.questions),
    allowed_domains: lines(values.domains),
  };
}
