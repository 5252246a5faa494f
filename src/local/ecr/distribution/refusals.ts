import { AwsError } from "../../gateway/aws-error.ts";
import type { WireResponse } from "../../gateway/service.ts";
import { isDiskFull } from "../../storage/disk-full.ts";

/** A refusal in the words of the distribution specification ("Error Codes"). */
export class RegistryRefusal extends Error {
  override readonly name = "RegistryRefusal";
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** A method that is not served at an address, and those that are (RFC 9110 section 15.5.6). */
export const methodRefused = (allow: string, why: string): RegistryRefusal => new RegistryRefusal(405, "UNSUPPORTED", why, { allow });

/** What an error of the API is in the registry's words. */
const BY_AWS_CODE: Readonly<Record<string, readonly [status: number, code: string]>> = {
  RepositoryNotFoundException: [404, "NAME_UNKNOWN"],
  ImageNotFoundException: [404, "MANIFEST_UNKNOWN"],
  // What a pull-through cache met upstream.
  UpstreamAccessDenied: [403, "DENIED"],
  UpstreamTooManyRequests: [429, "TOOMANYREQUESTS"],
  UpstreamUnavailable: [503, "UNAVAILABLE"],
  SecretNotFoundException: [403, "DENIED"],
  UnableToAccessSecretException: [403, "DENIED"],
  UnableToDecryptSecretValueException: [403, "DENIED"],
  AccessDenied: [403, "DENIED"],
  UploadNotFoundException: [404, "BLOB_UPLOAD_UNKNOWN"],
  InvalidLayerException: [400, "DIGEST_INVALID"],
  LayersNotFoundException: [404, "MANIFEST_BLOB_UNKNOWN"],
  // What BuildKit is told of a cache as an index of layers (image-manifest=false), which ECR does not take.
  ReferencedImagesNotFoundException: [400, "MANIFEST_BLOB_UNKNOWN"],
  ImageTagAlreadyExistsException: [400, "TAG_INVALID"],
  // What ECR itself refuses; the specification lets a registry refuse deletes so.
  ImageReferencedByManifestList: [405, "UNSUPPORTED"],
  UploadBusy: [409, "BLOB_UPLOAD_INVALID"],
  InvalidTagParameterException: [400, "TAG_INVALID"],
  ImageDigestDoesNotMatchException: [400, "DIGEST_INVALID"],
  InvalidParameterException: [400, "MANIFEST_INVALID"],
  RequestEntityTooLarge: [413, "SIZE_INVALID"],
};

/** Any error as an answer; `report` is told of one that is neither a refusal nor an error of ours. */
export function refusalOf(error: unknown, report: (text: string) => void): WireResponse {
  if (error instanceof RegistryRefusal) {
    const challenge = error.status === 401 ? { "www-authenticate": 'Basic realm="ECR",service="ecr.amazonaws.com"' } : {};
    return answer(error.status, { code: error.code, message: error.message, headers: { ...error.headers, ...challenge } });
  }
  if (!(error instanceof AwsError)) {
    const { stack, message } = error as Error;
    // No client need try again: that is what 507 says and 500 does not.
    if (isDiskFull(error))
      return answer(507, {
        code: "UNKNOWN",
        message: "the disk of the local accounts is full; free some space and try again",
        headers: {},
      });
    report(stack ?? message);
    return answer(500, { code: "UNKNOWN", message: `the local accounts failed: ${message}`, headers: {} });
  }
  const [status, code] = BY_AWS_CODE[error.code] ?? [error.status, "UNSUPPORTED"];
  return answer(status, { code, message: error.message, headers: {} });
}

const answer = (
  status: number,
  { code, message, headers }: { readonly code: string; readonly message: string; readonly headers: Readonly<Record<string, string>> },
): WireResponse => ({
  status,
  headers: { "content-type": "application/json", "docker-distribution-api-version": "registry/2.0", ...headers },
  body: JSON.stringify({ errors: [{ code, message }] }),
});
