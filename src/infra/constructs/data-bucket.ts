import { Duration, RemovalPolicy } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";

export interface DataBucketProps {
  readonly name: string;
  readonly key: IKey;
  /** Whether the bucket outlives its stack. */
  readonly keep: boolean;
  /** Prefixes whose objects expire, and after how many days. */
  readonly expire?: Readonly<Record<string, number>>;
}

/**
 * What becomes of data with its stack. Kept is not what a first deployment made and then rolled back: under the same name
 * the next one could not make it again.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
 */
export const keeping = (keep: boolean): RemovalPolicy => (keep ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY);

/** A bucket for releases and what leads to them: encrypted with our key, versioned, private, TLS only. */
export function dataBucket(scope: Construct, id: string, { name, key, keep, expire = {} }: DataBucketProps): Bucket {
  return new Bucket(scope, id, {
    bucketName: name,
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    versioned: true,
    removalPolicy: keeping(keep),
    autoDeleteObjects: !keep,
    lifecycleRules: [
      { id: "old-versions", noncurrentVersionExpiration: Duration.days(30), abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ...Object.entries(expire).map(([prefix, days]) => ({
        id: `expire-${prefix.replaceAll("/", "")}`,
        prefix,
        expiration: Duration.days(days),
      })),
    ],
  });
}
