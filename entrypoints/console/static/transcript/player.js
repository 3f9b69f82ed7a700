// @ts-check
/** Player of a recording: the sound, its waveform, and the time of each frame for the text. */

import { apiUrl, asProblem, fetchJson, send } from "../api.js";
import { clock, plural } from "../format.js";
import { icon } from "../icons.js";
import { session } from "../session.js";
import { View, html, nothing, problemBox } from "../view.js";
import "./waveform.js";

const STEP_SECONDS = 5;
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const RETRY_SECONDS = 5;

/** Event `time` of the player, on each frame while it plays. */
export class TimeEvent extends Event {
  /**
   * @param {number} seconds
   * @param {boolean} isPlaying
   */
  constructor(seconds, isPlaying) {
    super("time");
    this.seconds = seconds;
    this.isPlaying = isPlaying;
  }
}

class RecordingPlayer extends View {
  static properties = { job_id: { attribute: false }, duration: { attribute: false } };
  /** @type {import("../types.js").Waveform|null} */
  #waveform = null;
  /** @type {string} */
  #notice = "";
  /** @type {import("../api.js").Problem|null} */
  #problem = null;
  #isGone = false;
  #isPlaying = false;
  #wasReloaded = false;
  #frame = 0;
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  constructor() {
    super();
    this.job_id = "";
    this.duration = 0;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    cancelAnimationFrame(this.#frame);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#audio?.pause();
  }

  firstUpdated() {
    void this.#loadWaveform();
  }

  get #path() {
    return `batch/jobs/${encodeURIComponent(this.job_id)}`;
  }

  get #audio() {
    return /** @type {HTMLAudioElement|null} */ (this.querySelector("audio"));
  }

  render() {
    if (this.#isGone) return html`<p class="note">${goneText()}</p>`;
    return html`<section class="player card" aria-label="Player">
      <audio
        preload="metadata"
        src=${apiUrl(`${this.#path}/recording`)}
        @loadedmetadata=${() => this.#tellProblem(null)}
        @play=${this.#started}
        @pause=${this.#stopped}
        @ended=${this.#stopped}
        @timeupdate=${this.#tell}
        @seeked=${this.#tell}
        @error=${this.#failed}
      ></audio>
      <wave-form .peaks=${this.#waveform?.peaks ?? []} .duration=${this.duration} @position=${(/** @type {CustomEvent<number>} */ event) => this.seek(event.detail)}></wave-form>
      ${this.#controls()} ${this.#notice ? html`<p class="quiet" role="status">${this.#notice}</p>` : nothing} ${problemBox(this.#problem)}
    </section>`;
  }

  #controls() {
    return html`<div class="row">
      <button type="button" class="round" aria-label=${this.#isPlaying ? "Pause" : "Play"} @click=${() => this.toggle()}>
        ${icon(this.#isPlaying ? "pause" : "play")}
      </button>
      <button type="button" class="small" aria-label="Back 5 seconds" @click=${() => this.step(-STEP_SECONDS)}>−5 s</button>
      <button type="button" class="small" aria-label="Forward 5 seconds" @click=${() => this.step(STEP_SECONDS)}>+5 s</button>
      <p class="clock"><span id="now">0:00</span> / ${clock(this.duration)}</p>
      <label for="speed" class="inline">Speed</label>
      <select id="speed" @change=${this.#setSpeed}>
        ${SPEEDS.map((each) => html`<option value=${each} ?selected=${each === 1}>${each}×</option>`)}
      </select>
    </div>`;
  }

  /** Present position in seconds. */
  get time() {
    return this.#audio?.currentTime ?? 0;
  }

  toggle() {
    const audio = this.#audio;
    if (!audio) return;
    if (audio.paused) void this.#play(audio);
    else audio.pause();
  }

  /** @param {number} seconds */
  step(seconds) {
    this.seek(this.time + seconds);
  }

  /**
   * @param {number} seconds
   * @param {{plays?: boolean}} [options]
   */
  seek(seconds, { plays = false } = {}) {
    const audio = this.#audio;
    if (!audio) return void this.dispatchEvent(new TimeEvent(seconds, false));
    audio.currentTime = Math.min(Math.max(0, seconds), this.duration || seconds);
    this.#tell();
    if (plays && audio.paused) void this.#play(audio);
  }

  /**
   * Play; a browser that refuses, or a source that fails, is told of by the event `error`.
   *
   * @param {HTMLAudioElement} audio
   */
  async #play(audio) {
    try {
      await audio.play();
    } catch {
      this.#stopped();
    }
  }

  #started = () => {
    this.#isPlaying = true;
    this.requestUpdate();
    this.#nextFrame();
  };

  #stopped = () => {
    this.#isPlaying = false;
    this.requestUpdate();
    this.#tell();
  };

  #nextFrame() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#tell();
      if (this.#isPlaying) this.#nextFrame();
    });
  }

  #tell = () => {
    const seconds = this.time;
    /** @type {import("./waveform.js").WaveForm|null} */ (this.querySelector("wave-form"))?.setTime(seconds);
    const [now, text] = [this.querySelector("#now"), clock(seconds)];
    if (now && now.textContent !== text) now.textContent = text;
    this.dispatchEvent(new TimeEvent(seconds, this.#isPlaying));
  };

  /** @param {Event} event */
  #setSpeed = (event) => {
    if (this.#audio) this.#audio.playbackRate = Number(/** @type {HTMLSelectElement} */ (event.target).value);
  };

  /** Ask why the sound cannot be loaded: the element does not say. Where nothing is wrong by now, load it once more. */
  #failed = async () => {
    this.#stopped();
    try {
      await (await send(`${this.#path}/recording`, { headers: { Range: "bytes=0-0" }, accept: "*/*" })).body?.cancel();
      if (this.#wasReloaded) this.#tellProblem({ title: "The recording cannot be played", detail: "This browser cannot decode it. Try another browser." });
      else this.#audio?.load();
      this.#wasReloaded = true;
    } catch (error) {
      this.#handle("recording", asProblem(error), () => this.#audio?.load());
    }
  };

  async #loadWaveform() {
    try {
      this.#waveform = await fetchJson(`${this.#path}/waveform`);
      this.#tellProblem(null);
    } catch (error) {
      this.#handle("waveform", asProblem(error), () => void this.#loadWaveform());
    }
  }

  /**
   * @param {"recording"|"waveform"} part
   * @param {import("../api.js").Problem} problem
   * @param {() => void} again
   */
  #handle(part, problem, again) {
    if (problem.status === 404 || problem.status === 410) this.#isGone = true;
    else if (problem.status === 503) this.#wait(part, problem.retryAfter ?? RETRY_SECONDS, again);
    else this.#problem = problem;
    this.requestUpdate();
  }

  /**
   * @param {string} part
   * @param {number} seconds
   * @param {() => void} again
   */
  #wait(part, seconds, again) {
    this.#notice = `The sound is being prepared. Next attempt in ${plural(seconds, "second")}.`;
    clearTimeout(this.#timers.get(part));
    this.#timers.set(part, setTimeout(again, seconds * 1000));
  }

  /** @param {any} problem */
  #tellProblem(problem) {
    this.#problem = problem;
    this.#notice = "";
    this.requestUpdate();
  }
}

function goneText() {
  return session.facts?.recordings_are_kept
    ? "The recording is no longer kept: RECORDING_KEEP_DAYS is over, or it was erased."
    : "The recording is not kept: RECORDING_KEEP_DAYS is 0.";
}

customElements.define("recording-player", RecordingPlayer);

export { RecordingPlayer };
