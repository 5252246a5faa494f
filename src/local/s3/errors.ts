import { AwsError } from "../gateway/aws-error.ts";

/** A bucket that another region has: its answer says which, in a header that HEAD has too. */
export class PermanentRedirect extends AwsError {
  readonly headers: Readonly<Record<string, string>>;
  /** The bucket's. */
  readonly region: string;
  constructor(bucket: string, region: string) {
    super(
      301,
      "PermanentRedirect",
      "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
      {
        Bucket: bucket,
        Endpoint: `${bucket}.s3.${region}.amazonaws.com`,
      },
    );
    this.headers = { "x-amz-bucket-region": region };
    this.region = region;
  }
}

// Codes, statuses and wordings: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

export const noSuchBucket = (bucket: string): AwsError =>
  new AwsError(404, "NoSuchBucket", "The specified bucket does not exist", { BucketName: bucket });
export const noSuchKey = (key: string): AwsError => new AwsError(404, "NoSuchKey", "The specified key does not exist.", { Key: key });
export const noSuchVersion = (key: string, versionId: string): AwsError =>
  new AwsError(404, "NoSuchVersion", "The specified version does not exist.", { Key: key, VersionId: versionId });
export const noSuchUpload = (uploadId: string): AwsError =>
  new AwsError(
    404,
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { UploadId: uploadId },
  );
export const bucketExists = (bucket: string): AwsError =>
  new AwsError(
    409,
    "BucketAlreadyExists",
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
    { BucketName: bucket },
  );
export const bucketOwnedByYou = (bucket: string): AwsError =>
  new AwsError(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.", {
    BucketName: bucket,
  });
export const bucketNotEmpty = (bucket: string): AwsError =>
  new AwsError(409, "BucketNotEmpty", "The bucket you tried to delete is not empty", { BucketName: bucket });
export const invalidBucketName = (bucket: string): AwsError =>
  new AwsError(400, "InvalidBucketName", "The specified bucket is not valid.", { BucketName: bucket });
export const notConfigured = (code: string, message: string): AwsError => new AwsError(404, code, message);
export const invalidRange = (range: string, size: number): AwsError =>
  new AwsError(416, "InvalidRange", "The requested range is not satisfiable", { RangeRequested: range, ActualObjectSize: size });
export const preconditionFailed = (condition: string): AwsError =>
  new AwsError(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", { Condition: condition });
export const badDigest = (): AwsError =>
  new AwsError(400, "BadDigest", "The Content-MD5 or checksum you specified did not match what we received.");
export const invalidPart = (): AwsError =>
  new AwsError(
    400,
    "InvalidPart",
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  );
export const invalidPartOrder = (): AwsError =>
  new AwsError(
    400,
    "InvalidPartOrder",
    "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
  );
export const entityTooSmall = (): AwsError =>
  new AwsError(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
export const malformedXml = (why: string): AwsError =>
  new AwsError(400, "MalformedXML", `The XML you provided was not well-formed or did not validate against our published schema: ${why}`);
export const policyTooLarge = (most: number): AwsError =>
  new AwsError(400, "PolicyTooLarge", `Policy exceeds the maximum allowed document size of ${most} bytes.`);
export const malformedPolicy = (why: string): AwsError => new AwsError(400, "MalformedPolicy", why);
export const invalidArgument = (why: string): AwsError => new AwsError(400, "InvalidArgument", why);
export const keyTooLong = (): AwsError => new AwsError(400, "KeyTooLongError", "Your key is too long");
export const methodNotAllowed = (): AwsError =>
  new AwsError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
/** A condition that a GET or HEAD did not meet: no error to a cache, so it has no body. */
export const notModified = (): AwsError => new AwsError(304, "NotModified", "Not Modified");
