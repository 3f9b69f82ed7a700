// @ts-check
/** Actions on a job: cancel, try again, delete. */

import { asProblem, fetchJson, send } from "../api.js";
import { ask } from "../dialogs.js";
import { jobName } from "../format.js";
import { session } from "../session.js";
import { announce } from "../status.js";
import { html, nothing } from "../view.js";

/** @typedef {import("../types.js").Job} Job */

/**
 * @typedef {object} Outcome
 * @property {Job|null} job The job as it is now, or the one that tries it again; null where it is erased.
 * @property {import("../api.js").Problem|null} problem
 */

/** @param {string} id */
const pathOf = (id) => `batch/jobs/${encodeURIComponent(id)}`;

/** @param {Job} job */
export const cancel = (job) => attempt(job, "cancelled", async () => fetchJson(pathOf(job.id), { method: "DELETE" }));

/** @param {Job} job */
export const retry = (job) => attempt(job, "tried again as a new job", async () => fetchJson(`${pathOf(job.id)}/retry`, { method: "POST" }));

/**
 * Erase a job after a question; null where the answer was no.
 *
 * @param {Job} job
 * @returns {Promise<Outcome|null>}
 */
export async function erase(job) {
  const body = html`<p><bdi>${jobName(job)}</bdi></p>
    <p>The transcript and the recording are erased here, and an event asks consumers to erase their copies. This cannot be undone.</p>`;
  if (!(await ask({ title: "Delete this job?", body, action: "Delete" }))) return null;
  return attempt(job, "deleted", async () => {
    await send(pathOf(job.id), { method: "DELETE" });
    return null;
  });
}

/**
 * @param {Job} job
 * @param {string} done
 * @param {() => Promise<Job|null>} action
 * @returns {Promise<Outcome>}
 */
async function attempt(job, done, action) {
  try {
    const changed = await action();
    announce(`${jobName(job)}: ${done}`);
    return { job: changed, problem: null };
  } catch (error) {
    return { job: null, problem: asProblem(error) };
  }
}

/**
 * Buttons of what can be done with a job in its present state.
 *
 * @param {Job} job
 * @param {(job: Job, action: typeof cancel|typeof retry|typeof erase) => void} onAction
 */
export function jobButtons(job, onAction) {
  if (!session.may("write")) return nothing;
  const name = jobName(job);
  const button = (/** @type {string} */ text, /** @type {typeof cancel|typeof retry|typeof erase} */ action) =>
    html`<button type="button" class="small" aria-label=${`${text} ${name}`} @click=${() => onAction(job, action)}>${text}</button>`;
  return html`${job.links.cancel ? button("Cancel", cancel) : nothing} ${job.links.retry ? button("Try again", retry) : nothing}
  ${job.links.cancel ? nothing : button("Delete", erase)}`;
}
