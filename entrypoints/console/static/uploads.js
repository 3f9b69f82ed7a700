// @ts-check
/** Upload view: many files, the options of their transcription, and the progress of each. */

import { jobName, number, plural, size, visible } from "./format.js";
import { icon } from "./icons.js";
import { session } from "./session.js";
import { announce } from "./status.js";
import { optionFields, optionsOf } from "./uploads/options.js";
import { uploads } from "./uploads/queue.js";
import { View, html, nothing, problemBox, repeat, title } from "./view.js";

/** Problems of a file that another attempt would meet again. */
const FINAL_PROBLEMS = new Set(["empty-recording", "recording-too-large", "unreadable-file"]);

class UploadView extends View {
  follows = [uploads, session];
  #isOver = false;
  /** @type {Map<import("./uploads/queue.js").Upload, string>} */
  #told = new Map();

  connectedCallback() {
    super.connectedCallback();
    for (const each of uploads.items) this.#told.set(each, each.state);
    uploads.addEventListener("change", this.#tell);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    uploads.removeEventListener("change", this.#tell);
  }

  #tell = () => {
    for (const upload of uploads.items) {
      if (this.#told.get(upload) === upload.state) continue;
      this.#told.set(upload, upload.state);
      const words = { accepted: "accepted", refused: "refused", interrupted: "interrupted" }[String(upload.state)];
      if (words) announce(`${visible(upload.file.name)}: ${words}`);
    }
  };

  render() {
    if (!session.may("write")) {
      return html`${title("Upload")}<p>Uploading needs the scope <code>write</code>, which your session lacks.</p>`;
    }
    return html`${title("Upload recordings")}
      <form class="upload" @submit=${(/** @type {Event} */ event) => event.preventDefault()}>
        ${this.#dropArea()} ${optionFields()}
      </form>
      ${uploads.items.length ? this.#list() : nothing}`;
  }

  #dropArea() {
    const most = session.facts?.max_upload_bytes;
    return html`<div
      class="drop ${this.#isOver ? "over" : ""}"
      @dragover=${this.#over}
      @dragleave=${this.#leave}
      @drop=${this.#drop}
    >
      <p class="big">Drop recordings here</p>
      <p>
        <input id="files" class="unseen" type="file" multiple @change=${this.#choose} aria-describedby="files-hint" />
        <label class="button primary" for="files">Choose files</label>
      </p>
      <p class="hint" id="files-hint">
        Audio or video${most ? `, up to ${size(most)} each` : ""}. Two are sent at the same time, the others wait.
      </p>
    </div>`;
  }

  #list() {
    const accepted = uploads.items.filter((each) => each.state === "accepted").length;
    return html`<section aria-labelledby="uploads-title">
      <div class="row between">
        <h2 id="uploads-title">${plural(uploads.items.length, "file")}, ${number(accepted)} accepted</h2>
        ${accepted ? html`<button type="button" @click=${() => uploads.clearAccepted()}>Clear accepted</button>` : nothing}
      </div>
      <ul class="uploads">
        ${repeat(uploads.items, (each) => each.key, (each) => html`<li class="card">${uploadItem(each)}</li>`)}
      </ul>
    </section>`;
  }

  /** @param {DragEvent} event */
  #over = (event) => {
    event.preventDefault();
    this.#isOver = true;
    this.requestUpdate();
  };

  #leave = () => {
    this.#isOver = false;
    this.requestUpdate();
  };

  /** @param {DragEvent} event */
  #drop = (event) => {
    event.preventDefault();
    this.#leave();
    this.#add(event.dataTransfer?.files ?? []);
  };

  /** @param {Event} event */
  #choose = (event) => {
    const field = /** @type {HTMLInputElement} */ (event.target);
    this.#add(field.files ?? []);
    field.value = "";
  };

  /** @param {Iterable<File>} files */
  #add(files) {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    const options = optionsOf(form);
    if (options) uploads.add([...files], options);
  }
}

/** @param {import("./uploads/queue.js").Upload} upload */
function uploadItem(upload) {
  const name = visible(upload.file.name);
  return html`<div class="row between">
      <p class="name"><bdi>${name}</bdi> <span class="quiet">${size(upload.file.size)}</span></p>
      <div class="row">${uploadButtons(upload, name)}</div>
    </div>
    ${upload.state === "sending"
      ? html`<progress max="1" .value=${upload.sent} aria-label=${`Upload of ${name}`}></progress>`
      : nothing}
    <p class="quiet">${stateOf(upload)}</p>
    ${problemBox(upload.state === "sending" ? null : upload.problem)}`;
}

/**
 * @param {import("./uploads/queue.js").Upload} upload
 * @param {string} name
 */
function uploadButtons(upload, name) {
  const mayRetry = ["refused", "interrupted"].includes(upload.state) && !FINAL_PROBLEMS.has(upload.problem?.name ?? "");
  const remove = upload.state === "sending" ? "Stop" : "Remove";
  return html`${mayRetry
    ? html`<button type="button" class="primary" aria-label=${`Try again: ${name}`} @click=${() => uploads.retry(upload)}>Try again</button>`
    : nothing}
  ${upload.state === "accepted"
    ? nothing
    : html`<button type="button" aria-label=${`${remove}: ${name}`} @click=${() => uploads.remove(upload)}>${remove}</button>`}`;
}

/** @param {import("./uploads/queue.js").Upload} upload */
function stateOf(upload) {
  const { job, file, sent } = upload;
  switch (upload.state) {
    case "waiting":
      return "Waits for the uploads before it";
    case "sending":
      return sent < 1 ? `${Math.floor(sent * 100)} % of ${size(file.size)} sent` : "Sent; waiting for the service to store it";
    case "accepted":
      return html`${icon("check")} Accepted: <a href="#/jobs/${job?.id}">open the job${job ? html`<span class="unseen"> of ${jobName(job)}</span>` : nothing}</a>`;
    case "paused":
      return upload.problem ? "Waits for its owner" : "Waits until you have signed in again";
    case "interrupted":
      return upload.problem?.retryAfter ? `Tries again in ${plural(upload.problem.retryAfter, "second")}` : "Interrupted";
    default:
      return "Refused";
  }
}

customElements.define("upload-view", UploadView);
