import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Place } from "../release/project/deploy-config.ts";
import { CREATED_BY } from "../release/names.ts";

const statement = (sid: string, actions: readonly string[], resources: readonly string[], conditions?: object): PolicyStatement =>
  new PolicyStatement({
    sid,
    actions: [...actions],
    resources: [...resources],
    ...(conditions && { conditions: conditions as Record<string, Record<string, unknown>> }),
  });

type Buckets = string | readonly string[];
const below = (bucketArns: Buckets, prefixes: readonly string[]): readonly string[] =>
  [bucketArns].flat().flatMap((arn) => prefixes.map((prefix) => `${arn}/${prefix}*`));

/** Read objects below prefixes of buckets, and list them. */
export const readObjects = (sid: string, bucketArns: Buckets, prefixes: readonly string[] = [""]): PolicyStatement[] => [
  statement(`${sid}Objects`, ["s3:GetObject", "s3:GetObjectVersion"], below(bucketArns, prefixes)),
  statement(`${sid}List`, ["s3:ListBucket", "s3:GetBucketLocation"], [bucketArns].flat()),
];

/** Write objects below prefixes of buckets, whole uploads included. */
export const writeObjects = (sid: string, bucketArns: Buckets, prefixes: readonly string[] = [""]): PolicyStatement =>
  statement(sid, ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], below(bucketArns, prefixes));

export const useKey = (sid: string, keyArn: string, uses: readonly ("read" | "write")[]): PolicyStatement =>
  statement(
    sid,
    [
      ...(uses.includes("read") ? ["kms:Decrypt"] : []),
      ...(uses.includes("write") ? ["kms:GenerateDataKey", "kms:Encrypt"] : []),
      "kms:DescribeKey",
    ],
    [keyArn],
  );

const repositories = ({ account, region }: Place): string => `arn:aws:ecr:${region}:${account}:repository/*`;

/**
 * Make repositories that a KMS key encrypts: ECR describes it, and asks for grants on it and takes them back, as their maker.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
 */
export function encryptRepositories({ region }: Place, key: string | undefined): PolicyStatement[] {
  const viaEcr = { "kms:ViaService": `ecr.${region}.amazonaws.com` };
  return key === undefined
    ? []
    : [
        statement("RepositoryKey", ["kms:DescribeKey", "kms:RetireGrant"], [key], { StringEquals: viaEcr }),
        statement("RepositoryGrants", ["kms:CreateGrant"], [key], { StringEquals: viaEcr, Bool: { "kms:GrantIsForAWSResource": "true" } }),
      ];
}

/** Bring images in: make repositories (tagged as ours, with the key that is named), push, read, and set the policies of those we made. */
export const stageImages = (place: Place, key?: string): PolicyStatement[] => [
  ...encryptRepositories(place, key),
  statement("RegistryToken", ["ecr:GetAuthorizationToken"], ["*"]),
  statement("NewRepositories", ["ecr:CreateRepository", "ecr:TagResource"], [repositories(place)], {
    StringEquals: { [`aws:RequestTag/${CREATED_BY.key}`]: CREATED_BY.value },
  }),
  statement(
    "PushImages",
    [
      "ecr:BatchCheckLayerAvailability",
      "ecr:InitiateLayerUpload",
      "ecr:UploadLayerPart",
      "ecr:CompleteLayerUpload",
      "ecr:PutImage",
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
      "ecr:DescribeImages",
      "ecr:DescribeRepositories",
      "ecr:ListTagsForResource",
    ],
    [repositories(place)],
  ),
  ...repositoryPolicies(place),
];

/** Read and set the policies of repositories that carry our tag, and of no other. */
export const repositoryPolicies = (place: Place): PolicyStatement[] => [
  statement("ReadPolicies", ["ecr:GetRepositoryPolicy", "ecr:DescribeRepositories", "ecr:ListTagsForResource"], [repositories(place)]),
  statement("SetPolicies", ["ecr:SetRepositoryPolicy"], [repositories(place)], {
    StringEquals: { [`aws:ResourceTag/${CREATED_BY.key}`]: CREATED_BY.value },
  }),
];

/** Read images of private registries elsewhere: of the declared accounts, in other regions where that is declared. */
export function foreignImages(
  { account, region }: Place,
  { sourceAccounts, crossRegion }: { readonly sourceAccounts: readonly string[]; readonly crossRegion: boolean },
): PolicyStatement[] {
  const accounts = [...new Set([...sourceAccounts, ...(crossRegion ? [account] : [])])];
  return accounts.length === 0
    ? []
    : [
        statement(
          "ForeignImages",
          ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
          accounts.map((one) => `arn:aws:ecr:${crossRegion ? "*" : region}:${one}:repository/*`),
        ),
      ];
}

/** The keys that an S3 URI stands for: `s3://b/images` is the object and the folder of that name, not `images-of-others/` too. */
function keysOf(uri: string): { readonly bucket: string; readonly below: readonly string[] } {
  const [bucket = "", ...parts] = uri.slice("s3://".length).split("/");
  const prefix = parts.join("/");
  return { bucket, below: prefix === "" || prefix.endsWith("/") ? [`${prefix}*`] : [prefix, `${prefix}/*`] };
}

/** Read the declared sources of images and nothing beside them: a bucket is listed below the prefix alone. */
export const readSources = (uris: readonly string[]): PolicyStatement[] =>
  uris.flatMap((uri, index) => {
    const { bucket, below } = keysOf(uri);
    return [
      statement(
        `Source${index}Objects`,
        ["s3:GetObject", "s3:GetObjectVersion"],
        below.map((one) => `arn:aws:s3:::${bucket}/${one}`),
      ),
      statement(`Source${index}List`, ["s3:ListBucket"], [`arn:aws:s3:::${bucket}`], { StringLike: { "s3:prefix": below } }),
    ];
  });

/** Have ECR's pull-through cache bring images below these prefixes; it makes their repositories as its template says. */
export const pullThroughImages = ({ account, region }: Place, prefixes: readonly string[]): PolicyStatement[] =>
  prefixes.length === 0
    ? []
    : [
        statement(
          "PullThrough",
          ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"],
          prefixes.map((prefix) => `arn:aws:ecr:${region}:${account}:repository/${prefix}/*`),
        ),
      ];

/**
 * Read the secrets that name who asks an upstream registry. IAM compares with a secret's whole ARN: one that is named
 * without the six characters at its end is found by Secrets Manager and matched by no policy.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
 */
export const readSecrets = (arns: readonly string[]): PolicyStatement[] =>
  arns.length === 0
    ? []
    : [
        statement(
          "UpstreamCredentials",
          ["secretsmanager:GetSecretValue"],
          [...new Set(arns.flatMap((arn) => (/-[A-Za-z0-9]{6}$/.test(arn) ? [arn, `${arn}-??????`] : [`${arn}-??????`])))],
        ),
      ];

/** Create and read workflows and their versions. */
export const publishWorkflows = ({ account, region }: Place): PolicyStatement[] => [
  // What does not exist yet has no name: these know no resource, the tag of a new workflow included. Reading tags knows none
  // either: on an ARN it would be refused (service-authorization/latest/reference/list_omics.html).
  statement("CreateWorkflow", ["omics:CreateWorkflow", "omics:ListWorkflows", "omics:TagResource", "omics:ListTagsForResource"], ["*"]),
  statement(
    "Versions",
    ["omics:CreateWorkflowVersion", "omics:GetWorkflow", "omics:GetWorkflowVersion", "omics:ListWorkflowVersions", "omics:UntagResource"],
    [`arn:aws:omics:${region}:${account}:workflow/*`],
  ),
];

/** A role that HealthOmics takes for runs: inputs, outputs, images, logs. */
export function runStatements(
  place: Place,
  { read, write }: { readonly read: readonly string[]; readonly write: readonly string[] },
): PolicyStatement[] {
  const buckets = (uris: readonly string[]) => [...new Set(uris.map((uri) => `arn:aws:s3:::${uri.slice("s3://".length).split("/")[0]}`))];
  const objects = (uris: readonly string[]) =>
    uris.map(keysOf).flatMap(({ bucket, below }) => below.map((one) => `arn:aws:s3:::${bucket}/${one}`));
  return [
    statement("ReadInputs", ["s3:GetObject"], [...objects(read), ...objects(write)]),
    statement("ListInputs", ["s3:ListBucket"], buckets([...read, ...write])),
    statement("WriteOutputs", ["s3:PutObject"], objects(write)),
    statement(
      "ReadImages",
      ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
      [`arn:aws:ecr:${place.region}:*:repository/*`],
    ),
    statement(
      "WriteLogs",
      ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
      [`arn:aws:logs:${place.region}:${place.account}:log-group:/aws/omics/WorkflowLog:*`],
    ),
  ];
}

export { statement };
