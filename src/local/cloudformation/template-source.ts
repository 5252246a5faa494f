import type { Readable } from "node:stream";
import { AwsError } from "../gateway/aws-error.ts";
import type { Call, Core } from "../gateway/service.ts";
import { PermanentRedirect } from "../s3/errors.ts";
import { validationError } from "./engine/errors.ts";

/** Where a request takes its template from. */
export interface TemplateSource {
  readonly TemplateBody?: string | undefined;
  readonly TemplateURL?: string | undefined;
}

const LARGEST_BODY = 51_200;
const LARGEST_OBJECT = 1_000_000;

/**
 * The template's text, from the request or from S3, read as the caller; undefined where the request names none.
 * @throws AwsError ValidationError for both at once, one that is too large, or an object that can't be read
 */
export async function templateBody(core: Core, { TemplateBody, TemplateURL }: TemplateSource, call: Call): Promise<string | undefined> {
  if (TemplateBody !== undefined && TemplateURL !== undefined)
    throw validationError("Specify exactly one of 'TemplateBody' or 'TemplateURL'");
  if (TemplateURL !== undefined) return fromS3(core, TemplateURL, call);
  if (TemplateBody !== undefined && Buffer.byteLength(TemplateBody) > LARGEST_BODY)
    throw validationError(
      `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${LARGEST_BODY}`,
    );
  return TemplateBody;
}

async function fromS3(core: Core, url: string, call: Call): Promise<string> {
  const input = objectOf(url);
  if (!input) throw validationError("TemplateURL must be a supported URL.");
  try {
    const read = (region: string) =>
      core.dispatcher.call<{ Body?: Readable }>({
        service: "s3",
        operation: "GetObject",
        input,
        as: call.caller,
        region,
        account: call.account,
      });
    // The bucket may be in another region than the stack.
    const { Body } = await read(call.region).catch((error: unknown) =>
      error instanceof PermanentRedirect ? read(error.region) : Promise.reject(error as Error),
    );
    return await textOf(Body);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code === "ValidationError") throw error;
    throw validationError(
      `S3 error: ${error.message}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html`,
    );
  }
}

async function textOf(body: Readable | undefined): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += (chunk as Buffer).length;
    if (size > LARGEST_OBJECT) throw validationError(`Template may not exceed ${LARGEST_OBJECT} bytes in size.`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Bucket and key of an object's address: with the bucket in the path, as local clients write it, or in S3's host names. */
export function objectOf(url: string): { readonly Bucket: string; readonly Key: string; readonly VersionId?: string } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, pathname, searchParams } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") return undefined;
  const path = decodeURIComponent(pathname.slice(1));
  const versionId = searchParams.get("versionId");
  const version = versionId === null ? {} : { VersionId: versionId };
  const bucketInHost = /^(.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com$/.exec(hostname)?.[1];
  if (bucketInHost !== undefined) return path === "" ? undefined : { Bucket: bucketInHost, Key: path, ...version };
  if (!/^(s3[.-]([a-z0-9-]+\.)?amazonaws\.com|localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return undefined;
  const slash = path.indexOf("/");
  return slash < 1 || slash === path.length - 1 ? undefined : { Bucket: path.slice(0, slash), Key: path.slice(slash + 1), ...version };
}
