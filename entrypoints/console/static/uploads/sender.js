// @ts-check
/** One attempt to send a recording; XMLHttpRequest alone reports the progress of an upload. */

import { Problem, apiUrl, problemFrom } from "../api.js";

const MAX_NAME_LENGTH = 200;
const ACCEPTED = 202;

/**
 * @typedef {{kind: "accepted", job: import("../types.js").Job}} Accepted
 * @typedef {{kind: "refused", problem: Problem}} Refused
 * @typedef {{kind: "interrupted"}} Interrupted
 * @typedef {{kind: "stopped"}} Stopped
 * @typedef {Accepted|Refused|Interrupted|Stopped} Answer
 */

/**
 * Send the file of an upload with its key, so that a second attempt makes no second job.
 *
 * @param {import("./queue.js").Upload} upload
 * @param {(sent: number) => void} onProgress
 * @returns {Promise<Answer>}
 */
export function sendRecording(upload, onProgress) {
  const request = new XMLHttpRequest();
  upload.request = request;
  return new Promise((resolve) => {
    request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
    request.upload.onload = () => onProgress(1);
    request.onload = () => resolve(answerOf(request));
    request.onerror = () => resolve({ kind: "interrupted" });
    request.onabort = () => resolve({ kind: "stopped" });
    request.open("POST", apiUrl("batch/jobs"));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Idempotency-Key", upload.key);
    request.send(formOf(upload));
  });
}

/** @param {import("./queue.js").Upload} upload */
function formOf({ file, options }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(options)) if (value) form.append(name, value);
  form.append("metadata", JSON.stringify({ file: file.name.slice(0, MAX_NAME_LENGTH) }));
  form.append("file", file);
  return form;
}

/**
 * @param {XMLHttpRequest} request
 * @returns {Answer}
 */
function answerOf(request) {
  const { status, responseText } = request;
  const type = request.getResponseHeader("Content-Type");
  if (status === ACCEPTED) {
    try {
      return { kind: "accepted", job: JSON.parse(responseText) };
    } catch {
      return { kind: "refused", problem: new Problem("The answer cannot be read", "The job may exist. Try again: the same recording is never taken twice.") };
    }
  }
  return { kind: "refused", problem: problemFrom(status, type, responseText, request.getResponseHeader("Retry-After")) };
}

/**
 * Tell whether the file can still be read: it may have been changed or removed since it was chosen.
 *
 * @param {File} file
 */
export async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
