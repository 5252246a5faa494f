/** What a signature covers of an HTTP request, as it came over the wire: nothing decoded, nothing normalised. */
export interface SignedRequest {
  readonly method: string;
  /** The path as sent, percent-encoding included, without the query. */
  readonly rawPath: string;
  /** The query as sent, without the question mark; empty when there is none. */
  readonly rawQuery: string;
  /** Header values by lower-case name; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The value of `x-amz-content-sha256` where the client sent one, else the SHA-256 of the body in hex.
   * A caller who takes it from the header must itself compare the body with it.
   */
  readonly payloadSha256: string;
}

/** The credential scope: for which day, region and service the signing key was made. */
export interface CredentialScope {
  /** `YYYYMMDD`; empty for `query-v2`, which has no scope. */
  readonly date: string;
  /** Empty for `query-v2` and for a `git` credential that does not say (see `signedRegion`). */
  readonly region: string;
  readonly service: string;
}

/** A signature as presented, not yet verified. */
export interface Presented {
  /** `header` and `query` are Signature Version 4; `query-v2` is S3's older presigned URL; `git` is CodeCommit's password. */
  readonly kind: "header" | "query" | "query-v2" | "git";
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** The signing time as the client wrote it (`20261121T030000Z`); the epoch second of expiry for `query-v2`. */
  readonly timestamp: string;
  /** How long a presigned URL holds, in seconds. */
  readonly expiresSeconds?: number;
  /** Present for temporary credentials. The caller must compare it with the one issued for the access key. */
  readonly sessionToken?: string;
}

/** Why a signature was not accepted, in the words of the service that was asked. */
export interface VerificationFailure {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

/** Tells the two possible answers of `parseSignature` apart. */
export const isFailure = (outcome: Presented | VerificationFailure): outcome is VerificationFailure => "code" in outcome;
