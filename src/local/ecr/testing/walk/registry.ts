import { createHash } from "node:crypto";

/** A registry to walk through, ours or any other. */
export interface WalkedRegistry {
  /** `http://127.0.0.1:4577` */
  readonly url: string;
  /** Two repositories that may be pushed to; those of ECR must be there. */
  readonly repositories: readonly [one: string, two: string];
  /** The Authorization header. @default - none is sent */
  readonly authorization?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Where it came from, for relative Locations. */
  readonly url: string;
}

export interface Asked {
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** Sends the body without saying how long it is. */
  readonly isStream?: boolean;
}

export type Algorithm = "sha256" | "sha512";

export const digestBy = (algorithm: Algorithm, bytes: Uint8Array | string): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;

/** The address of something in a repository, `blobs/sha256:…`. */
export const within = ({ url }: WalkedRegistry, repository: string, rest: string): string => `${url}/v2/${repository}/${rest}`;

/** One request and its whole answer. */
export async function ask(
  { authorization }: WalkedRegistry,
  method: string,
  address: string,
  { body, headers = {}, query = {}, isStream = false }: Asked = {},
): Promise<Answer> {
  const url = new URL(address);
  for (const [name, value] of Array.isArray(query) ? query : Object.entries(query)) url.searchParams.append(name, value);
  const sent =
    body && isStream ? { body: new Blob([new Uint8Array(body)]).stream(), duplex: "half" } : body && { body: new Uint8Array(body) };
  const answer = await fetch(url, {
    method,
    headers: { ...(authorization !== undefined && { authorization }), ...headers },
    ...sent,
  } as RequestInit);
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()), url: url.href };
}

/** What an answer has to be. */
export interface Expected {
  readonly status: number | readonly number[];
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array;
}

/** @throws Error naming the first thing that differs */
export function expectAnswer(answer: Answer, { status, headers = {}, body }: Expected): Answer {
  const allowed = [status].flat();
  if (!allowed.includes(answer.status))
    throw new Error(`${answer.url}: status ${answer.status} instead of ${allowed.join(" or ")}: ${answer.body.toString("utf8", 0, 300)}`);
  for (const [name, wanted] of Object.entries(headers)) {
    const found = answer.headers.get(name);
    if (found === null || ![wanted].flat().includes(found))
      throw new Error(`${answer.url}: ${name} is ${found ?? "missing"} instead of ${[wanted].flat().join(" or ")}`);
  }
  if (body && !answer.body.equals(body))
    throw new Error(`${answer.url}: ${answer.body.length} bytes that are not the ${body.length} expected`);
  return answer;
}

/**
 * A refusal: where it comes as JSON, it is the list of errors that the specification has ("Error Codes").
 * @throws Error naming the first thing that differs
 */
export function expectRefusal(answer: Answer, status: number | readonly number[]): Answer {
  expectAnswer(answer, { status });
  if (answer.body.length === 0 || !/^application\/json\b/.test(answer.headers.get("content-type") ?? "")) return answer;
  const { errors } = JSON.parse(answer.body.toString()) as { readonly errors?: readonly { readonly code?: unknown }[] };
  if (!Array.isArray(errors) || errors.length === 0 || errors.some(({ code }) => typeof code !== "string" || !/^[A-Z_]+$/.test(code)))
    throw new Error(`${answer.url}: ${answer.body.toString("utf8", 0, 300)} is no list of errors`);
  return answer;
}

/** The address that an answer's Location names, relative or absolute. @throws Error when it has none */
export function locationOf({ headers, url }: Answer): string {
  const location = headers.get("location");
  if (!location) throw new Error(`${url}: no Location`);
  return new URL(location, url).href;
}

/** A digest header is not demanded; one that is there must be right. */
export function expectDigest({ headers, url }: Answer, digest: string): void {
  const said = headers.get("docker-content-digest");
  if (said !== null && said !== digest) throw new Error(`${url}: Docker-Content-Digest ${said} instead of ${digest}`);
}

/** The registry says it does not do this, in a way the specification allows. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}
