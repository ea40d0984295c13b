/** Which of several versions of a message is shown, and the way to the others. */

import { element, icon } from "./dom.js";
import { fill } from "./texts.js";

/** Draws "2/3" between two buttons; nothing while there is one version only. */
export class VersionsView {
  node = element("div", { class: "versions", role: "group", hidden: true });
  #message;
  #texts;
  #count = element("span", { class: "count" });
  #buttons;

  /**
   * @param {import("./message.js").Message} message
   * @param {object} texts
   * @param {(id: string, step: -1 | 1) => void} go shows another version in this one's place
   */
  constructor(message, texts, go) {
    this.#message = message;
    this.#texts = texts;
    const button = (step, label, drawing) => {
      const onclick = () => go(this.#beside(step), step);
      const attributes = { class: "action", type: "button", "aria-label": label, title: label, onclick };
      return element("button", attributes, icon(drawing));
    };
    this.#buttons = {
      [-1]: button(-1, texts.version_previous, "previous"),
      1: button(1, texts.version_next, "next"),
    };
    this.node.append(this.#buttons[-1], this.#count, this.#buttons[1]);
    this.update();
  }

  /** Show how many versions there are now. */
  update() {
    const { siblings, id } = this.#message;
    const values = { number: siblings.indexOf(id) + 1, count: siblings.length };
    this.node.hidden = siblings.length < 2;
    this.node.setAttribute("aria-label", fill(this.#texts.version_shown, values));
    this.#count.textContent = fill(this.#texts.version, values);
    for (const step of [-1, 1]) this.#buttons[step].disabled = !this.#beside(step);
  }

  /** Focus the button that leads further, or else the one that leads back. */
  focus(step) {
    const button = this.#buttons[step].disabled ? this.#buttons[-step] : this.#buttons[step];
    button.focus();
  }

  #beside(step) {
    const { siblings, id } = this.#message;
    return siblings[siblings.indexOf(id) + step];
  }
}
