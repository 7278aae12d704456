import { InputError } from "../../errors.js";
import { type HubReference, referenceText } from "../reference.js";
import { type Connection, type Exchange, isAtEndpoint } from "./exchange.js";
import { Transient } from "./retry.js";

/** What was asked for, for the messages. */
export interface HubSubject {
  readonly reference: HubReference;
  /** "" for the repository as a whole. */
  readonly file: string;
}

/** Statuses that pass by themselves. */
const passing = [408, 425, 429, 500, 502, 503, 504];

/**
 * Why an answer other than the one hoped for came, and what to do. The hub names the reason in `X-Error-Code`.
 * @param subject for an address that is not the hub's, the name of what it leads to
 */
export function statusError(connection: Connection, answer: Exchange, subject: HubSubject | string): Error {
  const { status, headers, url } = answer;
  answer.close();
  if (passing.includes(status)) {
    const what = status === 429 ? "limits the number of requests" : `answers with status ${status}`;
    return new Transient(`${url.host} ${what}`, retryAfter(headers));
  }
  if (typeof subject === "string") return new InputError(subject, `${url.host} answers with status ${status}`);
  // Addresses in the storage are signed and expire: the next attempt gets a new one from the hub.
  if (!isAtEndpoint(connection, url)) return new Transient(`${url.host} answers with status ${status}`);
  const place = referenceText(subject.reference);
  return new InputError(place, explainStatus(connection, status, headers, subject));
}

function explainStatus(connection: Connection, status: number, headers: Headers, subject: HubSubject): string {
  const { type, name, revision } = subject.reference;
  const page = `${connection.endpoint}/${type === "dataset" ? "datasets/" : ""}${name}`;
  const kind = type === "dataset" ? "data set" : "model";
  const code = headers.get("x-error-code");
  const message = headers.get("x-error-message") ?? "";
  if (code === "GatedRepo") {
    return connection.token === undefined
      ? `is gated: accept its terms at ${page} and set HF_TOKEN to an access token of that account`
      : `is gated, and the account of the access token has no access: accept its terms at ${page}`;
  }
  if (code === "RevisionNotFound") {
    return `the ${kind} ${name} has no branch, tag or commit ${revision}; see ${page}/tree/main for those that it has`;
  }
  if (code === "EntryNotFound")
    return `has no file ${subject.file}; see ${page}/tree/${revision} for those that it has`;
  if (status === 401 && /invalid credentials/i.test(message)) {
    return "the access token is not valid: set HF_TOKEN to a current one, or unset it";
  }
  if (code === "RepoNotFound" || status === 401 || status === 404) {
    const token = connection.token === undefined ? "set HF_TOKEN" : "use an access token that can read it";
    return `there is no such ${kind} at ${connection.endpoint}, or it is private: check the spelling, or ${token}`;
  }
  const said = message === "" ? "" : ` (${printable(message)})`;
  return `${new URL(connection.endpoint).host} answers with status ${status}${said}`;
}

/** Milliseconds from `Retry-After` (seconds or a date), or from the hub's `RateLimit: "api";r=0;t=123`. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  if (!Number.isNaN(date)) return Math.max(0, date - Date.now());
  const reset = /;\s*r=0\s*;\s*t=(\d{1,9})/.exec(headers.get("ratelimit") ?? "")?.[1];
  return reset === undefined ? undefined : Number(reset) * 1000;
}

function printable(message: string): string {
  return message.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
}
