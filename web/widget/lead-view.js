/** The form in which a visitor leaves how to reach them. */

import { element } from "./dom.js";

/**
 * Draws the form and sends it by `send({fields, consent})`; goes when that worked.
 * @param {object} configuration
 * @param {(lead: object) => Promise<void>} send may throw an ApiError
 */
export function leadForm({ texts, leadForm: { fields, consent } }, send) {
  const failure = element("p", { class: "wrong", role: "alert", hidden: true });
  const box = element("input", { type: "checkbox", name: "consent", required: true });
  const submit = element("button", { class: "primary", type: "submit" }, texts.lead_send);
  const form = element(
    "form",
    { class: "lead", "aria-label": texts.lead_title },
    texts.lead_title ? element("p", { class: "lead-title", dir: "auto" }, texts.lead_title) : null,
    ...fields.map((field) => labelled(field, texts)),
    consent ? element("label", { class: "consent", dir: "auto" }, box, element("span", {}, texts.lead_consent)) : null,
    failure,
    submit,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault(); // the browser has checked what is required
    const { consent: agreed, ...values } = Object.fromEntries(new FormData(form));
    submit.disabled = true;
    failure.hidden = true;
    try {
      await send({ fields: values, consent: Boolean(agreed) });
      form.replaceChildren(element("p", { role: "status", dir: "auto" }, texts.lead_thanks));
    } catch {
      failure.textContent = texts.lead_failed;
      failure.hidden = submit.disabled = false;
    }
  });
  return form;
}

function labelled({ name, type, required }, texts) {
  const autocomplete = type === "text" ? name : type;
  const input = element("input", { name, type, required, autocomplete, maxlength: 500, dir: "auto" });
  return element("label", { dir: "auto" }, texts[`lead_${name}`] ?? name, required ? " *" : "", input);
}
