/**
 * What went wrong, as far as it decides what to do next.
 * `denied` is never "missing": a registry that refuses may well have the image.
 */
export type RegistryErrorKind = "missing" | "denied" | "throttled" | "unavailable" | "unreachable" | "corrupt" | "refused";

/** What a {@link RegistryError} is made of. */
export interface RegistryFailure {
  readonly kind: RegistryErrorKind;
  readonly registry: string;
  /** What was being done, as a verb phrase: `read quay.io/a/b:1`. */
  readonly doing: string;
  /** What the registry or the network said. */
  readonly says: string;
  readonly status?: number;
  /** The registry's own code: `MANIFEST_UNKNOWN`, `TOOMANYREQUESTS`, `DENIED`; or the network's: `ECONNRESET`. */
  readonly code?: string;
  readonly retryAfterMs?: number;
  /** How often it was tried, where that was often enough: nobody tries it again at once. */
  readonly tries?: number;
  /** What a user can do about it. */
  readonly advice?: string;
  readonly cause?: unknown;
}

const SOON_MS = 300_000;

/** A registry did not do what it was asked. The message names the registry, what was tried and what it answered. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  /** What it was made of, without its cause: enough to make it again elsewhere. */
  readonly failure: Omit<RegistryFailure, "cause">;
  readonly kind: RegistryErrorKind;
  readonly registry: string;
  readonly says: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor({ cause, ...failure }: RegistryFailure) {
    const detail = [failure.status, failure.code].filter((part) => part !== undefined).join(" ");
    const { registry, kind, doing, says, advice } = failure;
    const said = says === NO_REASON && failure.status !== undefined ? "" : `: ${says}`;
    super(`${registry} ${VERBS[kind]} (${doing})${detail === "" ? "" : `, ${detail}`}${said}${advice === undefined ? "" : `; ${advice}`}`, {
      cause,
    });
    this.failure = failure;
    this.kind = failure.kind;
    this.registry = failure.registry;
    this.says = failure.says;
    this.status = failure.status;
    this.code = failure.code;
    this.retryAfterMs = failure.retryAfterMs;
  }

  /** Whether the same request may succeed a little later. */
  get temporary(): boolean {
    return this.kind === "throttled" || this.kind === "unavailable";
  }

  /** Whether it may within minutes: a registry that asks to be left alone for hours will say the same then. */
  get passesSoon(): boolean {
    return this.temporary && (this.retryAfterMs ?? 0) <= SOON_MS;
  }
}

/**
 * The error for a connection that broke or never came about. A name that does not resolve and a certificate that is
 * not trusted stay so; everything else may pass.
 */
export function errorFromNetwork(registry: string, doing: string, cause: unknown): RegistryError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const ofProxy = proxyAnswer(message);
  const kind =
    (ofProxy && !ofProxy.startsWith("5")) ||
    /^(?:ENOTFOUND|ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_INVALID_URL|UND_ERR_INVALID_ARG)/.test(code ?? "")
      ? "unreachable"
      : "unavailable";
  return new RegistryError({
    kind,
    registry,
    doing,
    says: ofProxy ? `the proxy of this network answers ${ofProxy} instead of connecting there` : plain(message) || "the connection failed",
    cause,
    ...(code === undefined ? {} : { code }),
  });
}

/** The status with which a proxy turned down a tunnel, in undici's words. */
const proxyAnswer = (message: string): string | undefined => /^Proxy response \((\d{3})\)/.exec(message)?.[1];

/** OpenSSL's line without its addresses: `…:error:0A00010B:SSL routines:tls_get_more_records:packet length too long:…`. */
const plain = (message: string): string => /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1] ?? message.trim();

const VERBS: Readonly<Record<RegistryErrorKind, string>> = {
  missing: "does not have it",
  denied: "refuses access",
  throttled: "is asked too often",
  unavailable: "does not answer",
  unreachable: "cannot be reached",
  corrupt: "sent other bytes than promised",
  refused: "refuses the request",
};

/** The facts of an answer with an error status. */
export interface FailedAnswer {
  readonly registry: string;
  readonly doing: string;
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs?: number;
  /** Where it points to, and nobody follows: what is written is for the registry that was named. */
  readonly location?: string;
}

/** The error for an answer of the registry, its kind decided by status and code (distribution spec, "Error Codes"). */
export function errorFromAnswer({ registry, doing, status, body, retryAfterMs, location }: FailedAnswer): RegistryError {
  const { code, message } = readErrorBody(body);
  const isRedirect = location !== undefined && status >= 300 && status < 400;
  return new RegistryError({
    kind: kindOf(status, code),
    registry,
    doing,
    status,
    says: isRedirect ? `it points to ${location}, and what is written does not follow` : message,
    ...(code === undefined ? {} : { code }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const CODE_KINDS: Readonly<Record<string, RegistryErrorKind>> = {
  TOOMANYREQUESTS: "throttled",
  UNAUTHORIZED: "denied",
  DENIED: "denied",
  NAME_UNKNOWN: "missing",
  MANIFEST_UNKNOWN: "missing",
  BLOB_UNKNOWN: "missing",
  BLOB_UPLOAD_UNKNOWN: "missing",
  DIGEST_INVALID: "corrupt",
};

function kindOf(status: number, code: string | undefined): RegistryErrorKind {
  const known = CODE_KINDS[code ?? ""];
  if (known !== undefined) return known;
  if (status === 401 || status === 403) return "denied";
  if (status === 404) return "missing";
  if (status === 429) return "throttled";
  // A disk that is full stays so, and so does what a registry has not.
  if (status === 507 || status === 501) return "refused";
  return status === 408 || status >= 500 ? "unavailable" : "refused";
}

const LONGEST_QUOTE = 300;
/** Those of ECR name a user, an action, a resource and a policy. */
const LONGEST_MESSAGE = 1000;
/** What an answer without a body says, that to a HEAD for example. */
export const NO_REASON = "no reason given";

function readErrorBody(body: string): { readonly code?: string; readonly message: string } {
  try {
    const { errors } = JSON.parse(body) as { errors?: readonly { code?: unknown; message?: unknown }[] };
    const [first] = Array.isArray(errors) ? errors : [];
    if (first)
      return {
        ...(typeof first.code === "string" ? { code: first.code } : {}),
        message: String(first.message ?? first.code ?? NO_REASON).slice(0, LONGEST_MESSAGE),
      };
  } catch {
    // A proxy's HTML or plain text: quoted as it is.
  }
  return { message: body.trim().slice(0, LONGEST_QUOTE) || NO_REASON };
}
