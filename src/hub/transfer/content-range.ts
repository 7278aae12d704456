/** Which bytes of a file an answer with status 206 holds: [start, end] of `total`, inclusive. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  /** Undefined where the server does not know it. */
  readonly total: number | undefined;
}

/** @returns undefined if there is no `Content-Range` header, or one that makes no sense */
export function contentRange(headers: Headers): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(headers.get("content-range")?.trim() ?? "");
  if (match === null || headers.has("content-encoding")) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  const total = match[3] === "*" ? undefined : Number(match[3]);
  return start <= end && end < (total ?? Number.MAX_SAFE_INTEGER) ? { start, end, total } : undefined;
}
