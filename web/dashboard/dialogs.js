/** Dialogs over the page. The browser's own element keeps the focus inside and gives it back. */

import { button, element, iconButton } from "./dom.js";
import { field, select } from "./form.js";

/**
 * Ask before something that cannot be undone.
 * @param {{title: string, text: string, action: string}} question
 * @returns {Promise<boolean>} whether the user agreed
 */
export function confirmed({ title, text, action }) {
  return new Promise((resolve) => {
    const dialog = element("dialog", { class: "dialog small", "aria-labelledby": "dialog-title" },
      element("h2", { id: "dialog-title" }, title),
      element("p", {}, text),
      element("div", { class: "actions" },
        button("quiet", "Cancel", () => dialog.close(""), { autofocus: true }),
        button("danger", action, () => dialog.close("yes"))));
    open(dialog, () => resolve(dialog.returnValue === "yes"));
  });
}

/**
 * Ask for one of several options before something is done.
 * @param {{title: string, text: string, action: string, label: string, value: string, options: Array<[string, string]>}} question
 * @returns {Promise<string | null>} the option's value; null when the user has changed their mind
 */
export function chosen({ title, text, action, label, value, options }) {
  return new Promise((resolve) => {
    const choice = select(value, options);
    const dialog = element("dialog", { class: "dialog small", "aria-labelledby": "dialog-title" },
      element("h2", { id: "dialog-title" }, title),
      element("p", {}, text),
      field("choice", label, choice),
      element("div", { class: "actions" },
        button("quiet", "Cancel", () => dialog.close("")),
        button("primary", action, () => dialog.close("yes"))));
    open(dialog, () => resolve(dialog.returnValue === "yes" ? choice.value : null));
  });
}

/** Show something at length, with a button to close it. @param {string} title @param {...Node} content */
export function showPanel(title, ...content) {
  open(panel(title, content), () => {});
}

/** Show a form, which a click beside it does not close. @param {string} title @param {Node} form @returns {() => void} closes it */
export function showForm(title, form) {
  const dialog = panel(title, [form]);
  open(dialog, () => {}, { lightly: false });
  return () => dialog.close();
}

function panel(title, content) {
  const dialog = element("dialog", { class: "dialog large", "aria-labelledby": "dialog-title" },
    element("header", {},
      element("h2", { id: "dialog-title" }, title),
      iconButton("close", "Close", () => dialog.close())),
    element("div", { class: "dialog-body" }, ...content));
  return dialog;
}

/** @param {{lightly: boolean}} options whether a click beside it closes it */
function open(dialog, onclose, { lightly } = { lightly: true }) {
  if (lightly) dialog.addEventListener("click", (event) => event.target === dialog && dialog.close(""));
  dialog.addEventListener("close", () => {
    dialog.remove();
    onclose();
  });
  document.querySelector("#app").append(dialog);
  dialog.showModal();
}
