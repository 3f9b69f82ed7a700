// @ts-check
/** Live updates: one stream of server-sent events per tab, closed while the tab is hidden, else polling. */

const POLL_MILLISECONDS = 5000;
const REOPEN_MILLISECONDS = 60_000;
/** Streams of all tabs of a browser: it keeps at most six connections to a host, and needs some for the rest. */
const STREAMS = 3;

/**
 * @typedef {object} Handlers
 * @property {Record<string, (data: any) => void>} events Handler of each event of the stream.
 * @property {() => Promise<void>} poll Reads the present state; never fails.
 * @property {(isLive: boolean) => void} [mode]
 */

export class Live {
  /** @type {EventSource|null} */
  #source = null;
  /** @type {(() => void)|null} */
  #release = null;
  #opening = 0;
  /** @type {ReturnType<typeof setInterval>|undefined} */
  #polling;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #reopening;

  /**
   * @param {string|null} url Address of the stream; null for polling alone.
   * @param {Handlers} handlers
   */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
  }

  start() {
    document.addEventListener("visibilitychange", this.#onVisibility);
    if (!document.hidden) void this.#open();
    return this;
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#close();
  }

  #onVisibility = () => {
    this.#close();
    if (!document.hidden) void this.#open();
  };

  async #open() {
    this.#closeStream();
    if (!this.url) return this.#poll();
    const opening = this.#opening;
    const release = await takePlace();
    if (opening !== this.#opening) return release?.(); // closed meanwhile
    if (!release) return this.#pollAndReopen();
    this.#release = release;
    this.#follow(this.url);
  }

  /** @param {string} url */
  #follow(url) {
    const source = new EventSource(url);
    this.#source = source;
    source.onopen = () => this.#live();
    source.onerror = () => this.#interrupted(source);
    for (const [name, handle] of Object.entries(this.handlers.events)) {
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    }
  }

  #live() {
    clearInterval(this.#polling);
    this.#polling = undefined;
    this.handlers.mode?.(true);
  }

  /** Poll meanwhile; a stream that was refused is asked for again later, any other reconnects by itself. */
  #interrupted(/** @type {EventSource} */ source) {
    if (source.readyState === EventSource.CLOSED) this.#pollAndReopen();
    else this.#poll();
  }

  #pollAndReopen() {
    this.#poll();
    clearTimeout(this.#reopening);
    this.#reopening = setTimeout(() => void this.#open(), REOPEN_MILLISECONDS);
  }

  #poll() {
    if (this.#polling !== undefined) return;
    this.handlers.mode?.(false);
    void this.handlers.poll();
    this.#polling = setInterval(() => void this.handlers.poll(), POLL_MILLISECONDS);
  }

  #closeStream() {
    this.#source?.close();
    this.#source = null;
    this.#opening += 1;
    this.#release?.();
    this.#release = null;
    clearTimeout(this.#reopening);
  }

  #close() {
    this.#closeStream();
    clearInterval(this.#polling);
    this.#polling = undefined;
  }
}

/**
 * Take one of the places of streams that all tabs share.
 *
 * @returns {Promise<(() => void)|null>} Gives the place back; null where none is free.
 */
async function takePlace() {
  if (!navigator.locks) return () => {};
  for (let number = 0; number < STREAMS; number += 1) {
    const release = await takeLock(`transcripts-stream-${number}`);
    if (release) return release;
  }
  return null;
}

/**
 * @param {string} name
 * @returns {Promise<(() => void)|null>}
 */
function takeLock(name) {
  return new Promise((resolve) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null);
      return new Promise((/** @type {(value?: unknown) => void} */ release) => resolve(() => release()));
    });
  });
}
