/** A picture for the widget: chosen from a file and made small, or an address on the company's own website. */

import { button, element } from "./dom.js";
import { input } from "./form.js";

const SIDE = 96;

/** @param {string | null} stored an https address or a data URL */
export function avatarPicker(stored) {
  const address = input(stored?.startsWith("data:") ? "" : stored, { type: "url", placeholder: "https://www.example.com/avatar.png" });
  const file = element("input", { type: "file", accept: "image/png,image/jpeg,image/webp", "aria-label": "Picture file" });
  const shown = element("img", { class: "avatar-shown", alt: "The picture", width: 48, height: 48 });
  const remove = button("quiet", "Remove the picture", () => put(null));
  let picture = stored?.startsWith("data:") ? stored : null;
  const show = () => {
    shown.hidden = remove.hidden = picture === null;
    if (picture) shown.src = picture;
  };
  const put = (next) => {
    picture = next;
    file.value = "";
    show();
    address.dispatchEvent(new Event("input", { bubbles: true }));
  };
  file.addEventListener("change", async () => file.files[0] && put(await small(file.files[0])));
  show();
  const node = element("div", { class: "avatar-picker" }, file, shown, remove);
  return { node, address, get value() { return picture ?? (address.value.trim() || null); } };
}

/** The middle of a picture, small enough to travel with the configuration. */
async function small(file) {
  const source = await createImageBitmap(file);
  const side = Math.min(source.width, source.height);
  const canvas = element("canvas", { width: SIDE, height: SIDE });
  canvas.getContext("2d").drawImage(source, (source.width - side) / 2, (source.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  return canvas.toDataURL("image/webp", 0.85);
}
