// @ts-check
/** List of jobs of one address: what is shown, and how messages of the stream change it. */

import { apiUrl, asProblem, fetchJson } from "../api.js";
import { jobName } from "../format.js";
import { Live } from "../live.js";
import { announce } from "../status.js";
import { isFinal } from "./progress.js";

/** @typedef {import("../types.js").Job} Job */

export const PAGE = 20;
/** @type {Record<string, number>} */
const HOURS = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };

export class JobsList extends EventTarget {
  /** @type {Job[]|null} */
  jobs = null;
  /** @type {string|null} */
  next = null;
  /** @type {import("../api.js").Problem|null} */
  problem = null;
  isLive = false;
  /** @type {Map<string, number>} Newest revision of each job, also of those that the filters leave out. */
  #revisions = new Map();

  /** @param {URLSearchParams} query Of the address of the page. */
  constructor(query) {
    super();
    this.state = query.get("state") ?? "";
    this.cursor = query.get("cursor") ?? "";
    this.since = HOURS[query.get("since") ?? ""] ? sinceHours(HOURS[query.get("since") ?? ""]) : null;
    const url = this.cursor ? null : apiUrl("batch/jobs/events", { state: this.state, limit: PAGE });
    this.live = new Live(url, {
      events: { jobs: (list) => this.#show(list), job: (job) => this.update(job), gone: ({ id }) => this.remove(id) },
      poll: () => this.load(),
      mode: (isLive) => this.#changed({ isLive }),
    });
  }

  async load() {
    try {
      const query = { state: this.state, cursor: this.cursor, limit: PAGE, created_after: this.since?.toISOString() };
      this.#show(await fetchJson("batch/jobs", { query }));
    } catch (error) {
      this.#changed({ problem: asProblem(error) });
    }
  }

  /** @param {import("../types.js").JobList} list */
  #show(list) {
    const inTime = list.jobs.filter((each) => this.#isInTime(each));
    const jobs = inTime.map((each) => this.#newest(each)).filter((each) => each !== undefined);
    for (const job of jobs) this.#tell(job);
    this.#changed({ jobs, next: inTime.length === list.jobs.length ? cursorOf(list.next) : null, problem: null });
  }

  /**
   * Put a changed job in its place; one that the filters leave out goes.
   *
   * @param {Job} job
   */
  update(job) {
    if (this.#newest(job) !== job) return;
    this.#tell(job);
    const others = (this.jobs ?? []).filter((each) => each.id !== job.id);
    if (!this.#isMeant(job)) return this.#changed({ jobs: others });
    const place = others.findIndex((each) => each.created_at < job.created_at);
    this.#changed({ jobs: others.toSpliced(place < 0 ? others.length : place, 0, job) });
  }

  /** @param {string} id */
  remove(id) {
    this.#changed({ jobs: (this.jobs ?? []).filter((each) => each.id !== id) });
  }

  /** @param {Job} job */
  #isMeant(job) {
    return (!this.state || job.state === this.state) && this.#isInTime(job);
  }

  /** @param {Job} job */
  #isInTime(job) {
    return !this.since || new Date(job.created_at) >= this.since;
  }

  /**
   * Answers may overtake one another: return the newest state of a job that is known; undefined where it is not shown.
   *
   * @param {Job} job
   */
  #newest(job) {
    if (job.revision < (this.#revisions.get(job.id) ?? 0)) return this.#known(job);
    this.#revisions.set(job.id, job.revision);
    return job;
  }

  /** @param {Job} job */
  #known(job) {
    return this.jobs?.find((each) => each.id === job.id);
  }

  /** @param {Job} job */
  #tell(job) {
    const known = this.#known(job);
    if (known && known.state !== job.state && isFinal(job)) announce(`${jobName(job)}: ${job.state}`);
  }

  /** @param {Partial<Pick<JobsList, "jobs"|"next"|"problem"|"isLive">>} changes */
  #changed(changes) {
    Object.assign(this, changes);
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {number} hours */
function sinceHours(hours) {
  return new Date(Date.now() - hours * 3_600_000);
}

/** @param {string|null} next */
function cursorOf(next) {
  return next && new URL(next, location.href).searchParams.get("cursor");
}
