const NETWORK = /^(?:ECONN(?:REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH)$/;

/**
 * Whether an error that the SDK gave up with may be gone in a while: the network's, which has no answer, throttling, or the
 * service's own.
 */
export function isPassing(error: unknown): boolean {
  const {
    code,
    name = "",
    $metadata,
    $fault,
    $retryable,
  } = error as {
    readonly code?: string;
    readonly name?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly $fault?: string;
    readonly $retryable?: object;
  };
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return NETWORK.test(code ?? "") || name === "TimeoutError";
  return $fault === "server" || $retryable !== undefined || status >= 500 || status === 429 || name.includes("Throttl");
}
