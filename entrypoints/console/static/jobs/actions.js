// @ts-check
/** Actions on a job: cancel, try again, delete. */

import { Problem, asProblem, fetchJson } from "../api.js";
import { ask } from "../dialogs.js";
import { jobName } from "../format.js";
import { session } from "../session.js";
import { announce } from "../status.js";
import { html, nothing } from "../view.js";

/** @typedef {import("../types.js").Job} Job */

/**
 * @typedef {object} Outcome
 * @property {Job|null} job The job as it is now, or the one that tries it again; null where it is erased or unknown.
 * @property {Problem|null} problem
 */

class RunningActions extends EventTarget {
  /** @type {Set<string>} */
  #jobs = new Set();

  /** @param {Job} job */
  has(job) {
    return this.#jobs.has(job.id);
  }

  /**
   * @param {Job} job
   * @param {boolean} isRunning
   */
  mark(job, isRunning) {
    if (isRunning) this.#jobs.add(job.id);
    else this.#jobs.delete(job.id);
    this.dispatchEvent(new Event("change"));
  }
}

/** Jobs of which an action runs: their buttons wait for its end. */
export const running = new RunningActions();

/** @param {string} id */
const pathOf = (id) => `batch/jobs/${encodeURIComponent(id)}`;

/** @param {Job} job */
export const cancel = (job) => attempt(job, "cancelled", async () => endedEarly(job));

/** @param {Job} job */
export const retry = (job) => attempt(job, "tried again as a new job", async () => made(await fetchJson(`${pathOf(job.id)}/retry`, { method: "POST" })));

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
  return attempt(job, "deleted", async () => made(await fetchJson(pathOf(job.id), { method: "DELETE" })));
}

/**
 * Cancel a job and never erase it: it may have ended since the page was told of it.
 *
 * @param {Job} job
 * @returns {Promise<Outcome>}
 */
async function endedEarly(job) {
  const present = await fetchJson(pathOf(job.id), { method: "DELETE", query: { only: "cancel" } });
  if (present?.state === "cancelled") return made(present);
  return { job: present, problem: new Problem("Nothing was done", "The job has ended meanwhile: it was not cancelled.") };
}

/**
 * @param {Job|null} job
 * @returns {Outcome}
 */
const made = (job) => ({ job, problem: null });

/**
 * Run an action, unless another one of the same job runs.
 *
 * @param {Job} job
 * @param {string} done
 * @param {() => Promise<Outcome>} action
 * @returns {Promise<Outcome|null>}
 */
async function attempt(job, done, action) {
  if (running.has(job)) return null;
  running.mark(job, true);
  try {
    const outcome = await action();
    if (!outcome.problem) announce(`${jobName(job)}: ${done}`);
    return outcome;
  } catch (error) {
    return { job: null, problem: asProblem(error) };
  } finally {
    running.mark(job, false);
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
    html`<button
      type="button"
      class="small"
      aria-label=${`${text} ${name}`}
      ?disabled=${running.has(job)}
      @click=${(/** @type {MouseEvent} */ event) => isFirst(event) && onAction(job, action)}
    >${text}</button>`;
  return html`${job.links.cancel ? button("Cancel", cancel) : nothing} ${job.links.retry ? button("Try again", retry) : nothing}
  ${job.links.cancel ? nothing : button("Delete", erase)}`;
}

/**
 * Tell whether a click is no second one of a double click: after the first one, another button may be in its place.
 *
 * @param {MouseEvent} event
 */
function isFirst(event) {
  return event.detail <= 1;
}
