import type { VerificationFailure } from "./signed-request.ts";

/** Everything that can be wrong with the authentication of a request. */
export type SignatureProblem =
  | "mismatch"
  | "skewed"
  | "incomplete"
  | "malformedQuery"
  | "presignedExpired"
  | "headersNotSigned"
  | "unknownAccessKey"
  | "invalidToken"
  | "expiredToken"
  | "missing";

type Family = "s3" | "query" | "json" | "restJson";

type Codes = Readonly<Record<SignatureProblem, readonly [code: string, status: number]>>;

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
const S3: Codes = {
  mismatch: ["SignatureDoesNotMatch", 403],
  skewed: ["RequestTimeTooSkewed", 403],
  incomplete: ["AuthorizationHeaderMalformed", 400],
  malformedQuery: ["AuthorizationQueryParametersError", 400],
  presignedExpired: ["AccessDenied", 403],
  headersNotSigned: ["AccessDenied", 403],
  unknownAccessKey: ["InvalidAccessKeyId", 403],
  invalidToken: ["InvalidToken", 400],
  expiredToken: ["ExpiredToken", 400],
  missing: ["AccessDenied", 403],
};

// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
const QUERY: Codes = {
  mismatch: ["SignatureDoesNotMatch", 403],
  skewed: ["SignatureDoesNotMatch", 403],
  incomplete: ["IncompleteSignature", 400],
  malformedQuery: ["IncompleteSignature", 400],
  presignedExpired: ["SignatureDoesNotMatch", 403],
  headersNotSigned: ["SignatureDoesNotMatch", 403],
  unknownAccessKey: ["InvalidClientTokenId", 403],
  invalidToken: ["InvalidClientTokenId", 403],
  expiredToken: ["ExpiredToken", 403],
  missing: ["MissingAuthenticationToken", 403],
};

const jsonCodes = (status: number): Codes => ({
  mismatch: ["InvalidSignatureException", status],
  skewed: ["InvalidSignatureException", status],
  incomplete: ["IncompleteSignatureException", status],
  malformedQuery: ["IncompleteSignatureException", status],
  presignedExpired: ["InvalidSignatureException", status],
  headersNotSigned: ["InvalidSignatureException", status],
  unknownAccessKey: ["UnrecognizedClientException", status],
  invalidToken: ["UnrecognizedClientException", status],
  expiredToken: ["ExpiredTokenException", status],
  missing: ["MissingAuthenticationTokenException", status],
});

const CODES: Readonly<Record<Family, Codes>> = { s3: S3, query: QUERY, json: jsonCodes(400), restJson: jsonCodes(403) };

// Every signing name that is not here speaks AWS JSON.
const FAMILIES: Readonly<Record<string, Family>> = {
  s3: "s3",
  cloudformation: "query",
  iam: "query",
  sns: "query",
  sts: "query",
  lambda: "restJson",
  omics: "restJson",
};

const MESSAGES: Readonly<Record<SignatureProblem, string>> = {
  mismatch:
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  skewed: "The difference between the request time and the current time is too large.",
  incomplete: "The authorization header is malformed.",
  malformedQuery:
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
  presignedExpired: "Request has expired",
  headersNotSigned: "There were headers present in the request which were not signed",
  unknownAccessKey: "The security token included in the request is invalid.",
  invalidToken: "The security token included in the request is invalid.",
  expiredToken: "The security token included in the request is expired",
  missing: "Request is missing Authentication Token",
};

const S3_MESSAGES: Partial<Readonly<Record<SignatureProblem, string>>> = {
  mismatch: "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  unknownAccessKey: "The AWS Access Key Id you provided does not exist in our records.",
  invalidToken: "The provided token is malformed or otherwise invalid.",
  expiredToken: "The provided token has expired.",
  missing: "Access Denied",
};

/**
 * The failure that `service` (a SigV4 signing name) answers for a problem.
 * @param message says it more exactly than AWS's general sentence
 */
export function signatureFailure(problem: SignatureProblem, service: string, message?: string): VerificationFailure {
  const family = FAMILIES[service] ?? "json";
  const [code, status] = CODES[family][problem];
  const general = (family === "s3" && S3_MESSAGES[problem]) || MESSAGES[problem];
  return { code, status, message: message ?? general };
}
