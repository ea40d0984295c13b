/** A picture of the widget as it is being set up. */

import { element, icon } from "./dom.js";

/** @returns {{node: HTMLElement, show: (settings: object) => void}} */
export function widgetPreview() {
  const title = element("p", { class: "preview-title" });
  const greeting = element("p", { class: "preview-greeting" });
  const questions = element("ul");
  const node = element("div", { class: "preview", "aria-hidden": "true" },
    element("div", { class: "preview-panel" },
      element("div", { class: "preview-head" }, element("span", { class: "mark" }, icon("spark")), title),
      element("div", { class: "preview-body" }, greeting, questions)),
    element("span", { class: "preview-launcher" }, icon("chat")));

  function show({ texts, theme, suggested_questions: asked }) {
    node.style.setProperty("--preview-accent", theme.accent);
    node.style.setProperty("--preview-ink", theme.on_accent ?? readableOn(theme.accent));
    node.dataset.mode = theme.mode;
    node.dataset.position = theme.position;
    title.textContent = texts.title || "Your company";
    greeting.textContent = texts.greeting || "Hi! How can I help you?";
    questions.replaceChildren(...asked.slice(0, 3).map((question) => element("li", {}, question)));
  }

  return { node, show };
}

/** Black or white, whichever reads better on a colour. @param {string} colour like "#2f6fed" */
export function readableOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.36 ? "#000000" : "#ffffff";
}
