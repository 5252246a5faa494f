import { InvalidValue } from "./invalid-value.ts";

/** The address of an object or prefix in S3. `key` is empty for a whole bucket. */
export interface S3Uri {
  readonly bucket: string;
  readonly key: string;
}

/**
 * Parses `s3://bucket/key`.
 * @throws InvalidValue quoting the text
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export function parseS3Uri(text: string): S3Uri {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(text);
  if (!match?.[1]) throw new InvalidValue("S3 URI", text, "an S3 URI looks like s3://bucket/key");
  return { bucket: match[1], key: match[2] ?? "" };
}

/** Prints an S3 URI. */
export const formatS3Uri = ({ bucket, key }: S3Uri): string => `s3://${bucket}/${key}`;

/** The URI with `segment` appended after exactly one slash. */
export const joinS3Uri = ({ bucket, key }: S3Uri, segment: string): S3Uri => ({
  bucket,
  key: key === "" ? segment : `${key.replace(/\/+$/, "")}/${segment}`,
});
