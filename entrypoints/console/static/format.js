// @ts-check
/** Numbers, times and untrusted texts as people read them. */

/** @type {Intl.DateTimeFormatOptions} */
const DAY = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };
const THIS_YEAR = new Intl.DateTimeFormat(undefined, DAY);
const ANY_YEAR = new Intl.DateTimeFormat(undefined, { year: "numeric", ...DAY });
const NUMBER = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const UNITS = ["bytes", "KB", "MB", "GB", "TB"];
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Show characters that would change the direction or the look of a text, such as U+202E.
 *
 * @param {string} text
 */
export function visible(text) {
  return text.replace(INVISIBLE, (each) => `[U+${each.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
}

/** @param {number} count */
export function number(count) {
  return NUMBER.format(count);
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** @param {number} bytes */
export function size(bytes) {
  let unit = 0;
  while (bytes >= 1000 && unit < UNITS.length - 1) [bytes, unit] = [bytes / 1000, unit + 1];
  return `${number(bytes)} ${UNITS[unit]}`;
}

/**
 * Format seconds of a recording as 1:02 or 1:02:03.
 *
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/**
 * Say how long something takes, roughly.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 60) return plural(Math.round(seconds), "second");
  if (seconds < 3600) return plural(Math.round(seconds / 60), "minute");
  if (seconds < 86400) return plural(Math.round(seconds / 360) / 10, "hour");
  return plural(Math.round(seconds / 8640) / 10, "day");
}

/**
 * Format a time, with its year unless it is the present one.
 *
 * @param {string|null|undefined} text
 */
export function moment(text) {
  if (!text) return "–";
  const date = new Date(text);
  return (date.getFullYear() === new Date().getFullYear() ? THIS_YEAR : ANY_YEAR).format(date);
}

/** @param {string|null|undefined} id */
export function shortId(id) {
  return id ? id.slice(0, 8) : "–";
}

/**
 * Name a job: its file, its source, or its id.
 *
 * @param {import("./types.js").Job} job
 */
export function jobName(job) {
  const { file, file_name: fileName } = job.metadata;
  const name = [file, fileName, job.source?.url.split("/").pop()].find((each) => typeof each === "string" && each.trim());
  return typeof name === "string" ? visible(name) : `Recording ${shortId(job.id)}`;
}

/** Make a random UUID, also on pages that are not secure contexts. */
export function uuid() {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
