// @ts-check
/** Uploads of this tab. They live in memory, so that they outlast views and a new sign-in of their user. */

import { Problem } from "../api.js";
import { size, uuid } from "../format.js";
import { session } from "../session.js";
import { isReadable, sendRecording } from "./sender.js";

const AT_ONCE = 2;
const UNAUTHENTICATED = 401;
const UNAVAILABLE = 503;

/**
 * @typedef {"waiting"|"sending"|"accepted"|"refused"|"interrupted"|"paused"} UploadState
 * @typedef {{language: string, channels: string, tracks: string, vocabulary: string}} Options
 *
 * @typedef {object} Upload
 * @property {string} key Idempotency key, the same until the job is accepted.
 * @property {string} owner Tenant and user for whom the file was added.
 * @property {File} file
 * @property {Options} options
 * @property {UploadState} state
 * @property {number} sent Share of the file, from 0 to 1.
 * @property {Problem|null} problem
 * @property {import("../types.js").Job|null} job
 * @property {XMLHttpRequest|null} request
 * @property {ReturnType<typeof setTimeout>|undefined} timer
 */

class UploadQueue extends EventTarget {
  /** @type {Upload[]} */
  items = [];

  constructor() {
    super();
    addEventListener("online", () => this.#resume("interrupted"));
    session.addEventListener("change", () => {
      this.#resume("paused");
      this.#pump();
    });
  }

  /** True while leaving the page would lose an upload. */
  get isBusy() {
    return this.items.some((each) => each.state !== "accepted" && each.state !== "refused");
  }

  /**
   * @param {Iterable<File>} files
   * @param {Options} options
   */
  add(files, options) {
    const added = [...files].map((file) => newUpload(file, options));
    this.items = [...this.items, ...added];
    this.#pump();
  }

  /** @param {Upload} upload */
  retry(upload) {
    clearTimeout(upload.timer);
    Object.assign(upload, { state: "waiting", sent: 0, problem: null });
    this.#pump();
  }

  /** @param {Upload} upload */
  remove(upload) {
    clearTimeout(upload.timer);
    this.items = this.items.filter((each) => each !== upload);
    upload.request?.abort();
    this.#pump();
  }

  clearAccepted() {
    this.items = this.items.filter((each) => each.state !== "accepted");
    this.#changed();
  }

  /** Send what waits, as long as fewer than the allowed number are sent at once. */
  #pump() {
    const sending = this.items.filter((each) => each.state === "sending").length;
    for (const each of this.items) if (each.state === "waiting" && !isOwn(each)) pause(each);
    const waiting = this.items.filter((each) => each.state === "waiting");
    for (const upload of waiting.slice(0, Math.max(0, AT_ONCE - sending))) void this.#send(upload);
    this.#changed();
  }

  /** @param {Upload} upload */
  async #send(upload) {
    upload.state = "sending";
    await session.load(); // the cookie may be another one by now, set by another tab or window
    if (isOwn(upload)) await this.#transfer(upload);
    else pause(upload);
    this.#pump();
  }

  /** @param {Upload} upload */
  async #transfer(upload) {
    if (!this.items.includes(upload)) return; // removed meanwhile
    const answer = await sendRecording(upload, (sent) => {
      upload.sent = sent;
      this.#changed();
    });
    upload.request = null;
    await this.#settle(upload, answer);
  }

  /**
   * @param {Upload} upload
   * @param {import("./sender.js").Answer} answer
   */
  async #settle(upload, answer) {
    if (answer.kind === "accepted") Object.assign(upload, { state: "accepted", sent: 1, job: answer.job });
    else if (answer.kind === "interrupted") await interrupt(upload);
    else if (answer.kind === "refused") this.#refuse(upload, answer.problem);
  }

  /**
   * @param {Upload} upload
   * @param {Problem} problem
   */
  #refuse(upload, problem) {
    upload.problem = problem;
    upload.sent = 0;
    if (problem.status === UNAUTHENTICATED) {
      pause(upload);
      if (session.isSignedIn) this.retry(upload);
    } else if (problem.status === UNAVAILABLE && problem.retryAfter !== null) {
      upload.state = "interrupted";
      upload.timer = setTimeout(() => this.retry(upload), problem.retryAfter * 1000);
    } else upload.state = "refused";
  }

  /** @param {UploadState} state */
  #resume(state) {
    for (const upload of this.items) if (upload.state === state) this.retry(upload);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {File} file
 * @param {Options} options
 * @returns {Upload}
 */
function newUpload(file, options) {
  const problem = refusalOf(file);
  const state = problem ? "refused" : "waiting";
  return { key: uuid(), owner: presentOwner(), file, options, state, sent: 0, problem, job: null, request: null, timer: undefined };
}

function presentOwner() {
  const { tenant_id: tenant, user_id: user } = session.facts ?? {};
  return JSON.stringify([tenant, user]);
}

/** @param {Upload} upload */
function isOwn(upload) {
  return session.isSignedIn && upload.owner === presentOwner();
}

/**
 * Keep an upload until its owner is signed in.
 *
 * @param {Upload} upload
 */
function pause(upload) {
  const detail = "This file was added by another user or tenant: sign in again, or remove it.";
  const problem = session.isSignedIn && !isOwn(upload) ? new Problem("Not sent", detail) : null;
  Object.assign(upload, { state: "paused", sent: 0, problem });
}

/** @param {File} file */
function refusalOf(file) {
  const most = session.facts?.max_upload_bytes ?? Infinity;
  if (file.size === 0) return new Problem("Empty recording", "The file has no bytes. Choose another one.", { type: "empty-recording" });
  if (file.size <= most) return null;
  const detail = `The file has ${size(file.size)}; the service accepts up to ${size(most)}. Send a smaller or a compressed recording.`;
  return new Problem("Recording too large", detail, { type: "recording-too-large" });
}

/** @param {Upload} upload */
async function interrupt(upload) {
  upload.sent = 0;
  if (await isReadable(upload.file)) {
    const detail = navigator.onLine
      ? "The service stopped answering before it had the whole file."
      : "There is no network. Sending begins again as soon as there is one.";
    Object.assign(upload, { state: "interrupted", problem: new Problem("The connection ended", `${detail} Trying again never makes a second job.`) });
    return;
  }
  const problem = new Problem("The file cannot be read", "It was changed or removed since it was chosen. Choose it again.", { type: "unreadable-file" });
  Object.assign(upload, { state: "refused", problem });
}

export const uploads = new UploadQueue();
