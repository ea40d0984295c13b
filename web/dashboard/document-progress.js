/** What the server says by itself of documents. */

/**
 * Put what was said of one document among those that are shown.
 * @param {object[]} shown
 * @param {{id: string, version: number, status: string, progress: object, failure: object | null}} said
 * @returns {object[] | null} null when that document, or that version of it, is not shown yet
 */
export function withProgress(shown, { id, version, status, progress, failure }) {
  const known = shown.find((each) => each.id === id);
  if (!known || known.version < version) return null;
  if (known.version > version) return shown;
  return shown.map((each) => (each === known ? { ...each, status, progress, failure } : each));
}
