import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../../kit/clock.ts";
import { anonymous, type Principal } from "../authorization/principal.ts";
import { AwsError } from "./aws-error.ts";
import type { Directory } from "./service.ts";
import { signatureFailure } from "./signature-failures.ts";
import { isFailure, type Presented, type SignedRequest, type VerificationFailure } from "./signed-request.ts";
import { parseSignature, verifySignature } from "./sigv4.ts";
import { signingKey } from "./signing-key.ts";
import type { ChunkSigning } from "./aws-chunked.ts";

/** Who sent a request, and what the signature of its chunks starts from. */
export interface Authenticated {
  readonly caller: Principal;
  readonly presented?: Presented;
  /** Set for requests signed in their headers. */
  readonly chunks?: ChunkSigning;
}

/** Reads which service and region a request is signed for, verifying nothing. @throws AwsError when it can't be read */
export function presentedBy(request: SignedRequest): Presented | undefined {
  const presented = parseSignature(request);
  if (presented && isFailure(presented)) throw asError(presented);
  return presented;
}

/**
 * Verifies the signature and finds the principal behind the access key.
 * @throws AwsError in the words of the service that was asked
 */
export function authenticate(
  request: SignedRequest,
  presented: Presented | undefined,
  { directory, clock }: { readonly directory: Directory; readonly clock: Clock },
): Authenticated {
  if (!presented) return { caller: anonymous };
  const { service } = presented.scope;
  const credential = directory.credential(presented.accessKeyId);
  if (!credential) throw asError(signatureFailure("unknownAccessKey", service));
  const now = clock.now();
  const failure = verifySignature(presented, { secretKey: credential.secretAccessKey, request, now });
  if (failure) throw asError(failure);
  if (!sameToken(credential.sessionToken, presented.sessionToken)) throw asError(signatureFailure("invalidToken", service));
  if (credential.expires && credential.expires <= now) throw asError(signatureFailure("expiredToken", service));
  const { scope, timestamp, signature: seedSignature } = presented;
  const chunks =
    presented.kind === "header" ? { chunks: { key: signingKey(credential.secretAccessKey, scope), scope, timestamp, seedSignature } } : {};
  return { caller: credential.principal, presented, ...chunks };
}

function sameToken(issued: string | undefined, presented: string | undefined): boolean {
  if (issued === undefined || presented === undefined) return issued === presented;
  const [a, b] = [Buffer.from(issued), Buffer.from(presented)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const asError = (failure: VerificationFailure): AwsError => new AwsError(failure.status, failure.code, failure.message);
