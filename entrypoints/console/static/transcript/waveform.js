// @ts-check
/** Waveform on a canvas: a slider that seeks by pointer and keyboard. */

import { clock } from "../format.js";
import { View, html } from "../view.js";

const STEP_SECONDS = 5;
const PAGE_SECONDS = 60;
const PEAK = 128;

class WaveForm extends View {
  static properties = { peaks: { attribute: false }, duration: { attribute: false } };
  #time = 0;
  #width = 0;
  #pixel = -1;
  #scheme = matchMedia("(prefers-color-scheme: dark)");
  #resized = new ResizeObserver(() => this.#draw());

  constructor() {
    super();
    /** @type {number[]} */
    this.peaks = [];
    this.duration = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#scheme.addEventListener("change", this.#draw);
    this.#resized.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#scheme.removeEventListener("change", this.#draw);
    this.#resized.disconnect();
  }

  render() {
    return html`<div
      class="wave"
      role="slider"
      tabindex="0"
      aria-label="Position in the recording"
      aria-valuemin="0"
      aria-valuemax=${Math.round(this.duration)}
      @pointerdown=${this.#press}
      @pointermove=${this.#drag}
      @keydown=${this.#key}
    >
      <canvas aria-hidden="true"></canvas>
      <canvas class="played" aria-hidden="true"></canvas>
      <span class="playhead"></span>
    </div>`;
  }

  updated() {
    this.#draw();
  }

  get #slider() {
    return /** @type {HTMLElement|null} */ (this.querySelector(".wave"));
  }

  /**
   * Move the playhead, where it comes to another pixel; nothing is drawn again.
   *
   * @param {number} seconds
   */
  setTime(seconds) {
    const slider = this.#slider;
    if (!slider) return;
    this.#time = seconds;
    const share = this.duration ? Math.min(1, seconds / this.duration) : 0;
    const pixel = Math.round(share * this.#width);
    if (pixel !== this.#pixel) slider.style.setProperty("--played", `${pixel}px`);
    this.#pixel = pixel;
    const whole = String(Math.round(seconds));
    if (slider.getAttribute("aria-valuenow") === whole) return;
    slider.setAttribute("aria-valuenow", whole);
    slider.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(this.duration)}`);
  }

  #draw = () => {
    const [base, played] = this.querySelectorAll("canvas");
    if (!base || !this.#slider) return;
    const style = getComputedStyle(this.#slider);
    drawPeaks(base, this.peaks, style.getPropertyValue("color"));
    drawPeaks(played, this.peaks, style.getPropertyValue("accent-color"));
    this.#width = base.clientWidth;
    this.setTime(this.#time);
  };

  /** @param {PointerEvent} event */
  #press = (event) => {
    if (event.button !== 0) return;
    this.#slider?.setPointerCapture(event.pointerId);
    this.#seekToPointer(event);
  };

  /** @param {PointerEvent} event */
  #drag = (event) => {
    if (event.buttons & 1) this.#seekToPointer(event);
  };

  /** @param {PointerEvent} event */
  #seekToPointer(event) {
    const { left, width } = /** @type {HTMLElement} */ (this.#slider).getBoundingClientRect();
    this.#seek(((event.clientX - left) / width) * this.duration);
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    const target = this.#targetOf(event.key);
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.#seek(target);
  };

  /** @param {string} key */
  #targetOf(key) {
    const now = this.#time;
    /** @type {Record<string, number>} */
    const targets = {
      ArrowLeft: now - STEP_SECONDS,
      ArrowDown: now - STEP_SECONDS,
      ArrowRight: now + STEP_SECONDS,
      ArrowUp: now + STEP_SECONDS,
      PageDown: now - PAGE_SECONDS,
      PageUp: now + PAGE_SECONDS,
      Home: 0,
      End: this.duration,
    };
    return targets[key];
  }

  /** @param {number} seconds */
  #seek(seconds) {
    const detail = Math.min(Math.max(0, seconds), this.duration);
    this.dispatchEvent(new CustomEvent("position", { detail }));
  }
}

/**
 * Draw pairs of lowest and highest samples over the whole width; a line where there are none.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number[]} peaks
 * @param {string} colour
 */
function drawPeaks(canvas, peaks, colour) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext("2d");
  if (!context || !width) return;
  [canvas.width, canvas.height] = [width * devicePixelRatio, height * devicePixelRatio];
  context.scale(devicePixelRatio, devicePixelRatio);
  context.fillStyle = colour;
  const bar = 3;
  for (let x = 0; x < width; x += bar) {
    const [low, high] = extremes(peaks, x / width, (x + bar) / width);
    const top = (height / 2) * (1 - high);
    context.fillRect(x, top, bar - 1, Math.max(2, (height / 2) * (1 - low) - top));
  }
}

/**
 * @param {number[]} peaks
 * @param {number} from Share of the whole.
 * @param {number} to
 * @returns {[number, number]} Between -1 and 1.
 */
function extremes(peaks, from, to) {
  const pairs = peaks.length / 2;
  let [low, high] = [0, 0];
  for (let pair = Math.floor(from * pairs); pair < Math.min(pairs, Math.max(from * pairs + 1, to * pairs)); pair++) {
    low = Math.min(low, peaks[2 * pair]);
    high = Math.max(high, peaks[2 * pair + 1]);
  }
  return [low / PEAK, high / PEAK];
}

customElements.define("wave-form", WaveForm);

export { WaveForm };
