// @ts-check
/** Downloads of a transcript in the forms of the API. */

import { asProblem, send } from "../api.js";
import { jobName } from "../format.js";
import { announce } from "../status.js";
import { html } from "../view.js";

/** @type {[string, string][]} */
const FORMS = [
  ["txt", "text/plain"],
  ["srt", "application/x-subrip"],
  ["vtt", "text/vtt"],
  ["json", "application/json"],
];

/**
 * @param {import("../types.js").Job} job
 * @param {(problem: import("../api.js").Problem|null) => void} onProblem
 */
export function exportButtons(job, onProblem) {
  return html`<div class="row" role="group" aria-label="Download the transcript">
    <span class="quiet">Download</span>
    ${FORMS.map(
      ([ending, type]) =>
        html`<button type="button" class="small" aria-label=${`Download as ${ending}`} @click=${async () => onProblem(await download(job, ending, type))}>${ending}</button>`,
    )}
  </div>`;
}

/**
 * @param {import("../types.js").Job} job
 * @param {string} ending
 * @param {string} type
 */
async function download(job, ending, type) {
  try {
    const response = await send(`batch/jobs/${encodeURIComponent(job.id)}/transcript`, { accept: type });
    save(await response.blob(), `${fileStem(job)}.${ending}`);
    announce(`Downloaded as ${ending}`);
    return null;
  } catch (error) {
    return asProblem(error);
  }
}

/** @param {import("../types.js").Job} job */
function fileStem(job) {
  return jobName(job).replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/[\\/:*?"<>|]/g, "_") || job.id;
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
