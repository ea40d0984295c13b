/** A widget's configuration, complete: every field the server leaves out has a default here. */

import { TEXTS } from "./texts.js";

const ACCENT = "#2f5fe0";
const COLOUR = /^#([\da-f]{3}|[\da-f]{6})$/i;
const RIGHT_TO_LEFT = new Set(["ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"]);

/**
 * @param {object} served the answer of GET /v1/widgets/{key}/config
 * @param {string} pageLocale used when the widget names none
 */
export function configurationOf(served, pageLocale) {
  const { assistant_name: name = "Assistant", texts = {}, theme = {}, features = {} } = served;
  const locale = canonicalLocale(served.locale) ?? canonicalLocale(pageLocale) ?? "en";
  return {
    name,
    texts: { ...TEXTS, title: name, ...withoutEmptyNames(texts) },
    locale,
    direction: RIGHT_TO_LEFT.has(locale.split("-")[0]) ? "rtl" : "ltr",
    accent: COLOUR.test(theme?.accent) ? theme.accent : ACCENT,
    mode: ["light", "dark"].includes(theme?.mode) ? theme.mode : "auto",
    position: theme?.position === "left" ? "left" : "right",
    onAccent: COLOUR.test(theme?.on_accent) ? theme.on_accent : null,
    avatarUrl: /^(https?:\/\/|data:image\/)/i.test(theme?.avatar_url) ? theme.avatar_url : null,
    suggestedQuestions: (served.suggested_questions ?? []).slice(0, 6),
    feedback: features?.feedback !== false,
    sources: features?.sources !== false,
    openAfter: served.behaviour?.open_after_seconds ?? null,
    widgetId: served.widget_id,
    leadForm: served.lead_form ?? null,
  };
}

/** Black or white, whichever reads better on the colour (WCAG relative luminance). */
export function readableOn(hex) {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit) : hex.slice(1).match(/../g);
  const [red, green, blue] = digits.map((pair) => {
    const value = Number.parseInt(pair, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000";
}

function canonicalLocale(locale) {
  try {
    return Intl.getCanonicalLocales(locale)[0];
  } catch {
    return undefined;
  }
}

/** Null stands for "not set"; an empty string is a text the tenant wants gone. */
function withoutEmptyNames(texts) {
  return Object.fromEntries(Object.entries(texts ?? {}).filter(([, text]) => typeof text === "string"));
}
