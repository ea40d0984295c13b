/** Sending a file straight to the store, with the form that the API signed for it. */

/** The store did not take the file; `message` says why, for people. */
class UploadRefused extends Error {
  name = "UploadRefused";
}

const REFUSALS = {
  EntityTooLarge: "The file is larger than allowed.",
  EntityTooSmall: "The file is empty.",
  AccessDenied: "The upload was not allowed: its form has run out or does not fit the file. Please try again.",
  ExpiredToken: "The upload's form has run out. Please try again.",
  InvalidPolicyDocument: "The upload's form is not valid. Please try again.",
  RequestTimeout: "The connection was too slow and the upload was cut off. Please try again.",
  SlowDown: "The store is busy. Please try again in a moment.",
  NoSuchBucket: "The upload store is not there. Please tell whoever runs this installation.",
};

/** Say in words why the store refused. @param {number} status @param {string} xml its answer */
export function refusalOf(status, xml) {
  const code = /<Code>([A-Za-z]+)<\/Code>/.exec(xml)?.[1];
  if (code && Object.hasOwn(REFUSALS, code)) return REFUSALS[code];
  if (status === 413) return REFUSALS.EntityTooLarge;
  if (status >= 500) return "The upload store has a problem. Please try again in a moment.";
  return `The store refused the file (${code ?? `status ${status}`}).`;
}

/**
 * Send a file. XMLHttpRequest, because fetch does not tell how much was sent.
 * @param {{url: string, fields: Record<string, string>}} form
 * @param {File} file
 * @param {(fraction: number) => void} onProgress 0 to 1
 * @returns {Promise<void>} rejects with UploadRefused
 */
export function sendFile(form, file, onProgress) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    body.append("file", file); // S3 ignores whatever follows the file
    const request = new XMLHttpRequest();
    const refuse = (message) => reject(new UploadRefused(message));
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => refuse("The upload store cannot be reached, or the file changed while it was read.");
    request.onload = () =>
      request.status < 300 ? resolve() : refuse(refusalOf(request.status, request.responseText));
    request.open("POST", form.url);
    request.send(body);
  });
}
