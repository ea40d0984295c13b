/** A text to take away, with a button that copies it. */

import { element, icon } from "./dom.js";

const SAYS_COPIED_MS = 2000;

/** @param {string} text @param {string} name what it is, for the button's label: "Copy widget key" */
export function copyable(text, name) {
  const label = element("span", {}, "Copy");
  const described = { type: "button", class: "button quiet copy", "aria-label": `Copy ${name}` };
  const copy = element("button", described, icon("copy"), label);
  const code = element("code", { tabindex: "0", "aria-label": name }, text);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // no permission: the keyboard can copy it now
      label.textContent = "Press Ctrl+C";
    }
    setTimeout(() => (label.textContent = "Copy"), SAYS_COPIED_MS);
  });
  return element("div", { class: "copyable" }, code, copy);
}
