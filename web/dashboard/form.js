/** Forms: labelled fields, errors at the field they speak of, one submission at a time. */

import { button, element } from "./dom.js";

/**
 * A labelled control with room for a hint and an error.
 * @param {string} name as the API calls the field; errors of that name are shown here
 * @param {string} label
 * @param {HTMLElement} control
 */
export function field(name, label, control, hint = "") {
  control.id ||= `field-${name.replaceAll(".", "-")}`;
  control.name ||= name;
  const hintId = `${control.id}-hint`;
  const errorId = `${control.id}-error`;
  control.setAttribute("aria-describedby", hint ? `${hintId} ${errorId}` : errorId);
  return element("div", { class: "field", "data-field": name },
    element("label", { for: control.id }, label),
    control,
    hint ? element("p", { class: "hint", id: hintId }, hint) : null,
    element("p", { class: "field-error", id: errorId, hidden: true }));
}

export function input(value = "", attributes = {}) {
  const made = element("input", { class: "control", ...attributes });
  made.value = value ?? "";
  return made;
}

export function area(value, rows, attributes = {}) {
  const made = element("textarea", { class: "control", rows, ...attributes });
  made.value = value ?? "";
  return made;
}

/** @param {string} value @param {Array<[string, string]>} options value and label */
export function select(value, options, attributes = {}) {
  const made = element("select", { class: "control", ...attributes },
    ...options.map(([each, label]) => element("option", { value: each }, label)));
  made.value = value;
  return made;
}

export function checkbox(checked = false) {
  const made = element("input", { type: "checkbox", class: "control" });
  made.checked = checked;
  return made;
}

/** What was typed; where the browser can make no number of it, a text that is none, so that it does not pass for empty. */
export function typed(control) {
  return control.validity.badInput ? "?" : control.value;
}

/** What was typed, chosen and ticked, by the controls' names. @param {Record<string, HTMLElement>} controls */
export function valuesOf(controls) {
  const read = (control) => (control.type === "checkbox" ? control.checked : typed(control));
  return Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, read(control)]));
}

/** Fields that belong together, in a card. @param {Node[]} content @param {Node | null} remark beside the title */
export function group(title, content, remark = null) {
  return element("section", { class: "card group" },
    element("header", {}, element("h2", {}, title), remark), element("div", { class: "fields" }, ...content));
}

/**
 * A form that sends itself with `send` and shows what went wrong.
 * @param {string} action the submit button's label
 * @param {Node[]} content
 * @param {(form: HTMLFormElement) => Promise<void>} send may throw an ApiError, shown at its fields
 * @param {Array<[string, (form: HTMLFormElement) => Promise<void>]>} others further ways to send it, with their labels
 */
export function form(action, content, send, others = []) {
  const submit = element("button", { type: "submit", class: "button primary" }, action);
  const buttons = [submit, ...others.map(([label, sendOther]) => button("quiet", label, () => attempt(sendOther)))];
  const failure = element("p", { class: "form-error", role: "alert", hidden: true });
  const made = element("form", { novalidate: true }, ...content, failure, element("div", { class: "actions" }, ...buttons));
  made.addEventListener("input", () => (made.dataset.changed = "yes"));
  const attempt = async (sending) => {
    if (submit.disabled) return;
    const focused = document.activeElement;
    for (const each of buttons) each.disabled = true;
    showErrors(made, new Map(), failure);
    try {
      await sending(made);
      delete made.dataset.changed;
    } catch (error) {
      showErrors(made, error.fields ?? new Map(), failure, error.message);
    } finally {
      for (const each of buttons) each.disabled = false;
      if (document.activeElement === document.body) focused.focus(); // a disabled button has lost it
    }
  };
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(send);
  });
  return made;
}

/** Mark the fields that are wrong and go to the first; what has no field of its own is said below the form. */
function showErrors(made, wrong, failure, message = "") {
  const homeless = new Map(wrong);
  for (const place of made.querySelectorAll("[data-field]")) {
    const error = homeless.get(place.dataset.field);
    homeless.delete(place.dataset.field);
    place.querySelector(".field-error").textContent = error ?? "";
    place.querySelector(".field-error").hidden = !error;
    mark(place.querySelector(".control.value") ?? place.querySelector(".control"), Boolean(error));
  }
  const rest = [...homeless.values()].join(" ");
  failure.textContent = wrong.size > 0 ? rest : message;
  failure.hidden = failure.textContent === "";
  made.querySelector("[aria-invalid]")?.focus();
}

function mark(control, wrong) {
  if (wrong) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}
