// @ts-check
/** Jobs view: the tenant's jobs, newest first, as they change. */

import { jobName, moment } from "./format.js";
import { jobButtons, running } from "./jobs/actions.js";
import { JobsList } from "./jobs/list.js";
import { badge, progress } from "./jobs/progress.js";
import { changeQuery } from "./router.js";
import { session } from "./session.js";
import { View, cell, html, loading, nothing, problemBox, repeat, time, title } from "./view.js";

/** @typedef {import("./types.js").Job} Job */

const STATES = [
  ["", "Any"],
  ["queued", "Queued"],
  ["processing", "Processing"],
  ["completed", "Completed"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
];
const TIMES = [
  ["", "Any time"],
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
];

class JobsView extends View {
  static properties = { query: { attribute: false } };
  follows = [running];
  /** @type {JobsList|null} */
  #list = null;
  /** @type {import("./api.js").Problem|null} */
  #problem = null;

  constructor() {
    super();
    this.query = "";
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("query")) this.#follow();
  }

  connectedCallback() {
    super.connectedCallback();
    session.addEventListener("change", this.#restart);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    session.removeEventListener("change", this.#restart);
    this.#list?.live.stop();
  }

  /** Another tenant has other jobs. */
  #restart = () => {
    this.#follow();
    this.requestUpdate();
  };

  #follow() {
    this.#list?.live.stop();
    this.#problem = null;
    this.#list = new JobsList(new URLSearchParams(this.query));
    this.#list.addEventListener("change", () => this.requestUpdate());
    this.#list.live.start();
  }

  render() {
    const { jobs, problem, isLive } = /** @type {JobsList} */ (this.#list);
    return html`<div class="row between">
        ${title("Jobs")}
        <p class="quiet" id="live">${isLive ? html`<span class="dot"></span> Live` : "Updated every 5 seconds"}</p>
      </div>
      ${this.#filters()} ${problemBox(this.#problem)} ${problemBox(problem)}
      ${jobs ? this.#table(jobs) : problem ? nothing : loading("Loading jobs")}`;
  }

  #filters() {
    const query = new URLSearchParams(this.query);
    return html`<form class="filters row" aria-label="Filters">
      ${select("state", "State", STATES, query.get("state") ?? "")} ${select("since", "Accepted", TIMES, query.get("since") ?? "")}
    </form>`;
  }

  /** @param {Job[]} jobs */
  #table(jobs) {
    if (!jobs.length) return this.#empty();
    return html`<table class="list">
        <caption class="unseen">Jobs, newest first</caption>
        <thead>
          <tr><th scope="col">Recording</th><th scope="col">State</th><th scope="col">Progress</th><th scope="col">Accepted</th><th scope="col">Actions</th></tr>
        </thead>
        <tbody>${repeat(jobs, (job) => job.id, (job) => this.#row(job))}</tbody>
      </table>
      ${this.#pages()}`;
  }

  /** @param {Job} job */
  #row(job) {
    return html`<tr>
      <th scope="row"><a href="#/jobs/${job.id}"><bdi>${jobName(job)}</bdi></a></th>
      ${cell("State", badge(job))} ${cell("Progress", progress(job))}
      ${cell("Accepted", time(job.created_at, moment(job.created_at)))}
      ${cell("Actions", html`<div class="row actions">${jobButtons(job, this.#act)}</div>`)}
    </tr>`;
  }

  #pages() {
    const { next, cursor } = /** @type {JobsList} */ (this.#list);
    if (!next && !cursor) return nothing;
    return html`<nav class="row pages" aria-label="Pages">
      ${cursor ? html`<button type="button" @click=${() => changeQuery({ cursor: "" })}>Newest jobs</button>` : nothing}
      ${next ? html`<button type="button" @click=${() => changeQuery({ cursor: next })}>Next page</button>` : nothing}
    </nav>`;
  }

  #empty() {
    const isFiltered = Boolean(this.query);
    return html`<div class="card empty">
      <p>${isFiltered ? "No job matches these filters." : "There are no jobs yet."}</p>
      ${isFiltered
        ? html`<button type="button" @click=${() => (location.hash = "#/jobs")}>Show all jobs</button>`
        : html`<a class="button primary" href="#/upload">Upload a recording</a>`}
    </div>`;
  }

  /** @type {Parameters<typeof jobButtons>[1]} */
  #act = async (job, action) => {
    const list = this.#list; // by the answer, the view may show another tenant's
    const outcome = await action(job);
    if (!outcome) return;
    this.#problem = outcome.problem;
    if (outcome.job) list?.update(outcome.job);
    else if (!outcome.problem) list?.remove(job.id);
    this.requestUpdate();
  };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string[][]} choices
 * @param {string} chosen
 */
function select(name, label, choices, chosen) {
  const change = (/** @type {Event} */ event) =>
    changeQuery({ [name]: /** @type {HTMLSelectElement} */ (event.target).value, cursor: "" });
  return html`<div class="field">
    <label for="filter-${name}">${label}</label>
    <select id="filter-${name}" @change=${change}>
      ${choices.map(([value, text]) => html`<option value=${value} ?selected=${value === chosen}>${text}</option>`)}
    </select>
  </div>`;
}

customElements.define("jobs-view", JobsView);
