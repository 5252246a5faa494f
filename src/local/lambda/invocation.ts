/** One call of a function on its way through a worker. */
export interface Invocation {
  readonly requestId: string;
  /** JSON text. */
  readonly payload: string;
  /** Base64 of JSON, as the client sent it. */
  readonly clientContext?: string | undefined;
}

/** How a call ended. */
export interface InvocationResult {
  /** JSON text: the function's answer, or `{errorType, errorMessage, …}`. */
  readonly payload: string;
  /** Set when the payload is an error: `Unhandled`. */
  readonly functionError: "Unhandled" | undefined;
  /** The last 4 KB of what the call logged. */
  readonly logTail: string;
}

/** An error as a function's payload. */
export const errorPayload = (errorType: string, errorMessage: string): string => JSON.stringify({ errorType, errorMessage });
