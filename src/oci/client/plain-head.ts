/** The head of an answer whose body is as long as it says. */
export interface PlainHead {
  readonly status: number;
  /** By names in small letters; what stands in several lines is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the body, in bytes. */
  readonly length: number;
  /** Whether the connection can be used again. */
  readonly isKept: boolean;
}

/**
 * Reads the head of an answer, without the empty line at its end.
 * @returns undefined for any that is not of HTTP/1.1, final, and of one length in digits: without one, in chunks, or malformed
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.3
 */
export function readPlainHead(text: string): PlainHead | undefined {
  const [first = "", ...lines] = text.split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1] ?? 0);
  const headers = headersOf(lines);
  if (status < 200 || status === 204 || status === 304 || !headers || "transfer-encoding" in headers) return undefined;
  const length = headers["content-length"] ?? "";
  if (!/^\d{1,15}$/.test(length)) return undefined;
  return { status, headers, length: Number(length), isKept: !/\bclose\b/i.test(headers["connection"] ?? "") };
}

/** Names of a token's characters alone, so that no line goes on from the one before. */
const HEADER = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/;

function headersOf(lines: readonly string[]): Record<string, string> | undefined {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const [, name, value = ""] = HEADER.exec(line) ?? [];
    if (name === undefined) return undefined;
    const key = name.toLowerCase();
    const before = headers[key];
    headers[key] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}
