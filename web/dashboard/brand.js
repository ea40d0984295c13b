/** The product's mark and name. */

import { element, icon } from "./dom.js";

export function brand() {
  return element("span", { class: "brand" }, element("span", { class: "mark" }, icon("chat")), "ChatConnect");
}
