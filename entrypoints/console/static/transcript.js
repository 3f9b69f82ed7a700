// @ts-check
/** View of one job: its progress or its problem, then the sound beside the text, and the delivery of its event. */

import { apiUrl, asProblem, fetchJson } from "./api.js";
import { clock, jobName, moment, number, plural, visible } from "./format.js";
import { icon } from "./icons.js";
import { jobButtons, running } from "./jobs/actions.js";
import { badge, isFinal, progress } from "./jobs/progress.js";
import { Live } from "./live.js";
import { announce } from "./status.js";
import "./transcript/compare.js";
import "./transcript/delivery.js";
import { exportButtons } from "./transcript/exports.js";
import { handleKey } from "./transcript/keys.js";
import "./transcript/player.js";
import "./transcript/segments.js";
import { tabList } from "./transcript/tabs.js";
import { View, html, loading, nothing, problemBox, time, title } from "./view.js";

/** @typedef {import("./types.js").Job} Job */
/** @typedef {import("./types.js").Transcript} Transcript */

const TABS = { timed: "Transcript", cleaned: "Cleaned text", compare: "Compare" };
const PARAGRAPH_CHARACTERS = 700;

class TranscriptView extends View {
  static properties = { job_id: { attribute: false } };
  follows = [running];
  /** @type {Job|null} */
  #job = null;
  /** @type {Transcript|null} */
  #transcript = null;
  /** @type {import("./api.js").Problem|null} */
  #problem = null;
  /** @type {Live|null} */
  #live = null;
  /** Number of the latest opening: answers to an earlier one are late. */
  #opening = 0;
  #tab = "timed";
  #follows = true;

  constructor() {
    super();
    this.job_id = "";
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("keydown", this.#key);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#key);
    this.#opening += 1;
    this.#live?.stop();
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("job_id")) void this.#open();
  }

  updated() {
    const list = this.#segmentList;
    if (!list || !this.#transcript) return;
    list.show(this.#transcript.segments);
    list.mark(this.#player?.time ?? 0, false);
  }

  get #path() {
    return `batch/jobs/${encodeURIComponent(this.job_id)}`;
  }

  get #player() {
    return /** @type {import("./transcript/player.js").RecordingPlayer|null} */ (this.querySelector("recording-player"));
  }

  get #segmentList() {
    return /** @type {import("./transcript/segments.js").SegmentList|null} */ (this.querySelector("segment-list"));
  }

  async #open() {
    const opening = ++this.#opening;
    this.#live?.stop();
    [this.#job, this.#transcript, this.#problem, this.#tab] = [null, null, null, "timed"];
    const job = await this.#load();
    if (!job || opening !== this.#opening || isFinal(job)) return;
    const changed = (/** @type {Job} */ each) => void this.#show(each);
    const events = { progress: changed, completed: changed, failed: changed, cancelled: changed };
    this.#live = new Live(apiUrl(`${this.#path}/events`), { events, poll: async () => void (await this.#load()) }).start();
  }

  /** @returns {Promise<Job|null>} The job as it is shown now; null where the answer is late or a problem. */
  async #load() {
    const opening = this.#opening;
    try {
      const job = await fetchJson(this.#path);
      if (opening !== this.#opening) return null;
      await this.#show(job);
      return this.#job;
    } catch (error) {
      if (opening === this.#opening) this.#tellProblem(asProblem(error));
      return null;
    }
  }

  /**
   * Show a state of the job, unless a newer one is shown: answers may overtake one another.
   *
   * @param {Job} job
   */
  async #show(job) {
    if (this.#job && job.revision < this.#job.revision) return;
    if (this.#job && this.#job.state !== job.state && isFinal(job)) announce(`${jobName(job)}: ${job.state}`);
    this.#job = job;
    document.title = `${jobName(job)} · Transcripts`;
    this.#tellProblem(null);
    if (!isFinal(job)) return;
    this.#live?.stop();
    if (job.state === "completed" && !this.#transcript) await this.#loadTranscript();
  }

  async #loadTranscript() {
    const opening = this.#opening;
    try {
      const transcript = await fetchJson(`${this.#path}/transcript`);
      if (opening === this.#opening) this.#transcript = transcript;
    } catch (error) {
      if (opening === this.#opening) this.#problem = asProblem(error);
    }
    this.requestUpdate();
  }

  /** @param {Job} job */
  #shows(job) {
    return this.isConnected && this.#job?.id === job.id;
  }

  /** @param {import("./api.js").Problem|null} problem */
  #tellProblem = (problem) => {
    this.#problem = problem;
    this.requestUpdate();
  };

  render() {
    const job = this.#job;
    return html`<p class="crumb"><a href="#/jobs">Jobs</a></p>
      ${title(job ? html`<bdi>${jobName(job)}</bdi>` : "Transcript")} ${problemBox(this.#problem)}
      ${job ? this.#content(job) : this.#problem ? nothing : loading("Loading the job")}`;
  }

  /** @param {Job} job */
  #content(job) {
    return html`<div class="row between">
        <p class="row">${badge(job)} <span class="quiet">${this.#facts(job)}</span></p>
        <div class="row actions">${jobButtons(job, this.#act)}</div>
      </div>
      ${problemBox(job.problem)} ${retryLinks(job)}
      ${isFinal(job) ? nothing : html`<div class="card running">${progress(job)}</div>`}
      ${job.state === "completed" ? this.#completed(job) : isFinal(job) ? delivery(job) : nothing}`;
  }

  /** @param {Job} job */
  #facts(job) {
    const { duration_seconds: length, language, engine, model } = this.#transcript ?? {};
    return html`${time(job.created_at, moment(job.created_at))}${length === undefined ? nothing : html` · ${clock(length)}`}${language
      ? html` · ${language}`
      : nothing}${engine ? html` · ${engine} ${model ?? ""}` : nothing}`;
  }

  /** @param {Job} job */
  #completed(job) {
    const transcript = this.#transcript;
    if (!transcript) return this.#problem ? nothing : loading("Loading the transcript");
    return html`<recording-player .job_id=${job.id} .duration=${transcript.duration_seconds} @time=${this.#mark}></recording-player>
      <p class="hint keys">
        <kbd>Space</kbd> or <kbd>k</kbd> play or pause · <kbd>j</kbd> <kbd>←</kbd> back 5 s · <kbd>l</kbd> <kbd>→</kbd> forward 5 s · click a word to hear it
      </p>
      <div class="beside">
        <aside aria-label="About this transcript">${qualityNotes(transcript)} ${delivery(job)}</aside>
        <div>
          <div class="row between">${tabList(TABS, this.#tab, this.#choose)} ${exportButtons(job, (problem) => this.#shows(job) && this.#tellProblem(problem))}</div>
          <div id="panel" role="tabpanel" tabindex="0" aria-labelledby="tab-${this.#tab}">${this.#panel(transcript)}</div>
        </div>
      </div>`;
  }

  /** @param {Transcript} transcript */
  #panel(transcript) {
    if (!transcript.segments.length) return html`<p class="card empty">No words were heard in this recording.</p>`;
    switch (this.#tab) {
      case "cleaned":
        return html`<div class="prose">${paragraphs(transcript.cleaned_transcript).map((each) => html`<p dir="auto">${each}</p>`)}</div>`;
      case "compare":
        return html`<compare-texts .raw=${transcript.raw_transcript} .cleaned=${transcript.cleaned_transcript}></compare-texts>`;
      default:
        return html`<label class="check"><input type="checkbox" .checked=${this.#follows} @change=${this.#setFollows} /> Follow the recording</label>
          <segment-list @seek=${this.#seek}></segment-list>`;
    }
  }

  /** @param {string} name */
  #choose = (name) => {
    this.#tab = name;
    this.requestUpdate();
  };

  /** @param {Event} event */
  #setFollows = (event) => {
    this.#follows = /** @type {HTMLInputElement} */ (event.target).checked;
  };

  /** @param {import("./transcript/player.js").TimeEvent} event */
  #mark = ({ seconds, isPlaying }) => {
    this.#segmentList?.mark(seconds, isPlaying && this.#follows);
  };

  /** @param {import("./transcript/segments.js").SeekEvent} event */
  #seek = ({ seconds }) => {
    this.#player?.seek(seconds, { plays: true });
  };

  /** @param {KeyboardEvent} event */
  #key = (event) => handleKey(event, this.#player);

  /** @type {Parameters<typeof jobButtons>[1]} */
  #act = async (job, action) => {
    const outcome = await action(job);
    if (!outcome || !this.#shows(job)) return;
    if (outcome.job?.id === job.id) void this.#show(outcome.job);
    else if (outcome.job) location.hash = `#/jobs/${outcome.job.id}`;
    else if (!outcome.problem) location.hash = "#/jobs";
    if (outcome.problem) this.#tellProblem(outcome.problem);
  };
}

/** @param {Job} job */
function delivery(job) {
  return html`<delivery-card .job_id=${job.id}></delivery-card>`;
}

/** @param {Job} job */
function retryLinks(job) {
  return html`${job.retried_as ? html`<p><a href="#/jobs/${job.retried_as}">Open the job that tried it again</a></p>` : nothing}
  ${job.retry_of ? html`<p><a href="#/jobs/${job.retry_of}">Open the job that this one tries again</a></p>` : nothing}`;
}

/** @param {Transcript} transcript */
function qualityNotes({ segments, quality, warnings, fallback_segments: fallbacks }) {
  const doubtful = segments.filter((each) => each.is_doubtful).length;
  const notes = [
    doubtful ? `${plural(doubtful, "segment")} marked as doubtful: the words contradict the sound. Listen before you rely on them.` : "",
    quality.coverage < 0.95 ? `There are words for ${number(quality.coverage * 100)} % of the speech that was heard.` : "",
    fallbacks ? `${plural(fallbacks, "segment")} cleaned by rules, because the model of the cleaner failed.` : "",
    ...warnings.map((each) => visible(each.detail)),
  ].filter(Boolean);
  if (!notes.length) return nothing;
  return html`<ul class="note warn plain">${notes.map((each) => html`<li>${icon("warning")}<span>${each}</span></li>`)}</ul>`;
}

/**
 * Divide a text at ends of sentences, so that the browser lays out what is in sight alone.
 *
 * @param {string} text
 */
function paragraphs(text) {
  /** @type {string[]} */
  const found = [];
  for (const part of visible(text).split(/(?<=[.!?…。！？])\s+|\n+/)) {
    const last = found.length - 1;
    if (last >= 0 && found[last].length < PARAGRAPH_CHARACTERS) found[last] += ` ${part}`;
    else found.push(part);
  }
  return found;
}

customElements.define("transcript-view", TranscriptView);
