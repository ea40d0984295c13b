/** Where files are dropped or chosen. */

import { button, element, icon } from "./dom.js";

/** For the file picker only; the API decides what it takes. */
const KINDS = ".pdf,.docx,.txt,.csv,.md,.markdown,.html,.htm";

/** @param {(files: File[]) => void} onFiles */
export function dropZone(onFiles) {
  const picker = element("input", { type: "file", accept: KINDS, multiple: true, hidden: true });
  picker.addEventListener("change", () => {
    onFiles([...picker.files]);
    picker.value = ""; // choosing the same file again is a change too
  });
  const zone = element("section", { class: "drop-zone", "aria-label": "Add documents" },
    icon("replace"),
    element("div", {},
      element("p", { class: "drop-title" }, "Drop files here"),
      element("p", { class: "soft" }, "PDF, Word, text, CSV, Markdown or HTML, up to 10 MB each")),
    button("primary", "Choose files", () => picker.click()),
    picker);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", (event) => !zone.contains(event.relatedTarget) && zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    onFiles([...event.dataTransfer.files]);
  });
  return zone;
}

/** Let the user choose one file. @returns {Promise<File | null>} */
export function pickFile() {
  return new Promise((resolve) => {
    const picker = element("input", { type: "file", accept: KINDS });
    picker.addEventListener("change", () => resolve(picker.files[0] ?? null));
    picker.addEventListener("cancel", () => resolve(null));
    picker.click();
  });
}
