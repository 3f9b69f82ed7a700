// @ts-check
/** State and progress of a job, in words and as a bar. */

import { clock, duration, jobName } from "../format.js";
import { html, nothing } from "../view.js";

/** @typedef {import("../types.js").Job} Job */

const STATES = { queued: "Queued", processing: "Processing", completed: "Completed", failed: "Failed", cancelled: "Cancelled" };
const STAGES = { fetching: "Fetching the recording", transcribing: "Transcribing", cleaning: "Cleaning the text" };

/** @param {Job} job */
export function isFinal(job) {
  return ["completed", "failed", "cancelled"].includes(job.state);
}

/** @param {Job} job */
export function badge(job) {
  return html`<span class="badge ${job.state}">${STATES[job.state]}</span>`;
}

/** @param {Job} job */
export function progress(job) {
  if (job.state === "completed") return html`<span class="quiet">${lengthOf(job)}</span>`;
  if (isFinal(job)) return html`<span class="quiet">${job.problem?.title ?? ""}</span>`;
  if (job.state === "queued") return html`<span class="quiet">${job.problem ? "Waits for another try" : "Waits for a worker"}</span>`;
  const { done_seconds: done, total_seconds: total } = job.progress;
  return html`${total ? html`<progress max=${total} .value=${done} aria-label=${`Progress of ${jobName(job)}`}></progress>` : nothing}
    <span class="quiet">${words(job)}</span>`;
}

/** @param {Job} job */
function lengthOf(job) {
  const { total_seconds: total, done_seconds: done } = job.progress;
  return total || done ? clock(total ?? done) : "";
}

/** @param {Job} job */
function words(job) {
  const { done_seconds: done, total_seconds: total, eta_seconds: eta } = job.progress;
  const stage = job.stage ? STAGES[job.stage] : "";
  const share = total ? `${Math.floor((100 * done) / total)} %` : done ? `${clock(done)} done` : "";
  const left = eta === null ? "" : `about ${duration(eta)} left`;
  return [stage, share, left].filter(Boolean).join(" · ");
}
