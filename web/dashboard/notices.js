/** Short notices at the edge of the page; the region is live, so screen readers speak them. */

import { element, icon, iconButton } from "./dom.js";

const STAYS_MS = 5000;

/** Say that something worked; it goes away by itself. */
export function notice(text) {
  const shown = show("good", "check", text);
  setTimeout(() => shown.remove(), STAYS_MS);
}

/** Say that something failed; it stays until it is closed. @param {Error} error */
export function problem(error) {
  if (error.name === "AbortError" || error.status === 401) return; // the user left, or the log-in says it
  show("bad", "alert", error.message);
}

/**
 * Do something that a button asks for, and say that it worked, or why not.
 * @param {() => Promise<unknown>} work
 * @param {string} said nothing when it can be seen by itself
 */
export async function attempt(work, said = "") {
  try {
    await work();
    if (said) notice(said);
  } catch (error) {
    problem(error);
  }
}

function show(tone, drawing, text) {
  const close = iconButton("close", "Dismiss", () => shown.remove());
  const shown = element("div", { class: `notice ${tone}` }, icon(drawing), element("p", {}, text), close);
  document.querySelector("#notices").append(shown);
  return shown;
}
