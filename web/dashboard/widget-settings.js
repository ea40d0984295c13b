/** What is set of a widget, between the form and the API. */

import { lines, numberOr } from "./format.js";
import { textsOf } from "./widget-words.js";

const SHOWN_TEXTS = ["title", "greeting"];
const KINDS = ["text", "email", "tel"];

/** The fields of a lead form as lines: "email, email, required". */
export function fieldLines(form) {
  return (form?.fields ?? []).map(({ name, type, required }) => [name, type, ...(required ? ["required"] : [])].join(", ")).join("\n");
}

/** The lead form that is meant, null for none. */
function leadFormOf({ lead_fields: text, lead_required: required, lead_consent: consent }) {
  const fields = lines(text).map((line) => {
    const [name, ...marks] = line.split(",").map((mark) => mark.trim());
    return { name, type: KINDS.find((kind) => marks.includes(kind)) ?? "text", required: marks.includes("required") };
  });
  return fields.length ? { fields, required, consent } : null;
}

/** The texts that have no field of their own. */
export function otherTexts(texts) {
  return Object.fromEntries(Object.entries(texts).filter(([name]) => !SHOWN_TEXTS.includes(name)));
}

/** The whole settings to save: what the form does not show stays as it is stored, an empty text is the widget's own. */
export function settingsOf(stored, values) {
  const others = values.texts === undefined ? stored.texts : textsOf(values.texts);
  const texts = { ...others, title: values.title.trim(), greeting: values.greeting.trim() };
  const given = (name, value) => (values[name] === undefined ? {} : value());
  return {
    locale: values.locale?.trim() || stored.locale,
    texts: Object.fromEntries(Object.entries(texts).filter(([name, text]) => text !== "" || !SHOWN_TEXTS.includes(name))),
    theme: {
      ...stored.theme, accent: values.accent, mode: values.mode, position: values.position,
      ...given("on_accent", () => ({ on_accent: values.on_accent.trim() || null })),
      ...given("avatar", () => ({ avatar_url: values.avatar })),
    },
    suggested_questions: lines(values.questions),
    allowed_domains: lines(values.domains),
    ...given("visitors", () => ({ require_identity: values.visitors === "known" })),
    ...given("translations", () => ({ translations: values.translations })),
    ...given("lead_fields", () => ({ lead_form: leadFormOf(values) })),
    ...given("opens", () => ({ behaviour: behaviourOf(values) })),
    ...given("name", () => ({ name: values.name.trim() })),
    ...given("assistant", () => ({ assistant_id: values.assistant })),
  };
}

function behaviourOf({ opens, feedback, sources }) {
  return { open_after_seconds: opens.trim() === "" ? null : numberOr(opens), feedback, sources };
}
