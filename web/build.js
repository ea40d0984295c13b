/** Bundles the widget into one file: `node build.js`. */

import { readFile, stat } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const OUTPUT = "dist/widget.js";

/** Style sheets become strings without spaces, for `replaceSync`. */
const minifiedStyles = {
  name: "minified-styles",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await build({ entryPoints: [path], bundle: true, minify: true, write: false });
      return { contents: outputFiles[0].text.trim(), loader: "text" };
    });
  },
};

await build({
  entryPoints: ["widget/main.js"],
  outfile: OUTPUT,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2023",
  charset: "utf8",
  legalComments: "none",
  plugins: [minifiedStyles],
});

const { size } = await stat(OUTPUT);
const zipped = gzipSync(await readFile(OUTPUT), { level: 9 }).length;
console.log(`${OUTPUT}: ${size} bytes, ${zipped} gzipped`);
