// Which actions there are, and which resource a policy has to name for them: the service authorization reference
// (docs.aws.amazon.com/service-authorization/latest/reference), as cfn-lint 1.51 carries it in AdditionalSpecs/Policies.json.
// An action without a resource is allowed on "*" alone: with an ARN its statement matches no request.

const any = "[^:]*";
const arn = (service: string, rest: string): RegExp => new RegExp(`^arn:aws:${service}:${any}:${any}:${rest}$`);
const [BUCKET, OBJECT] = [/^arn:aws:s3:::[^/]+$/, /^arn:aws:s3:::[^/]+\/.+$/];
const [LOG_GROUP, LOG_STREAM] = [arn("logs", "log-group:[^:]+(:\\*)?"), arn("logs", "log-group:[^:]+:(\\*|log-stream:.+)")];
const RUN = arn("omics", "run/.+");
const WORKFLOW = arn("omics", "workflow/.+");
const RUN_CACHE = arn("omics", "runCache/.+");
const NONE: readonly RegExp[] = [];

const TABLE: readonly (readonly [service: string, resources: readonly RegExp[], actions: string])[] = [
  ["codebuild", [arn("codebuild", "project/.+")], "BatchGetBuilds StartBuild StopBuild"],
  [
    "codecommit",
    [arn("codecommit", "[^:/]+")],
    "CancelUploadArchive GetBranch GetCommit GetPullRequest GetUploadArchiveStatus GitPull PostCommentForPullRequest UploadArchive",
  ],
  ["codeconnections", [arn("codeconnections", "connection/.+")], "UseConnection"],
  ["codestar-connections", [arn("codestar-connections", "connection/.+")], "UseConnection"],
  [
    "codepipeline",
    [arn("codepipeline", "[^:/]+")],
    "GetPipeline GetPipelineExecution GetPipelineState ListActionExecutions StartPipelineExecution",
  ],
  ["ecr", NONE, "GetAuthorizationToken"],
  [
    "ecr",
    [arn("ecr", "repository/.+")],
    "BatchCheckLayerAvailability BatchGetImage BatchImportUpstreamImage CompleteLayerUpload CreateRepository DescribeImages DescribeRepositories GetDownloadUrlForLayer GetRepositoryPolicy InitiateLayerUpload ListTagsForResource PutImage ReplicateImage SetRepositoryPolicy TagResource UploadLayerPart",
  ],
  ["events", [arn("events", "rule/.+")], "DescribeRule PutRule PutTargets"],
  ["iam", [arn("iam", "role/.+")], "PassRole"],
  [
    "kms",
    [arn("kms", "key/.+")],
    "CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo RetireGrant",
  ],
  ["lambda", [arn("lambda", "function:.+")], "InvokeFunction"],
  [
    "logs",
    NONE,
    "CreateLogDelivery DeleteLogDelivery DescribeLogGroups DescribeResourcePolicies GetLogDelivery ListLogDeliveries PutResourcePolicy UpdateLogDelivery",
  ],
  ["logs", [LOG_GROUP], "CreateLogGroup DescribeLogStreams"],
  ["logs", [LOG_STREAM], "CreateLogStream GetLogEvents PutLogEvents"],
  ["omics", NONE, "CreateWorkflow ListTagsForResource ListWorkflows"],
  ["omics", [RUN], "CancelRun GetRun ListRunTasks"],
  ["omics", [RUN, arn("omics", "task/.+")], "GetRunTask"],
  ["omics", [WORKFLOW], "CreateWorkflowVersion GetWorkflow GetWorkflowVersion ListWorkflowVersions"],
  ["omics", [RUN, WORKFLOW, RUN_CACHE], "StartRun TagResource UntagResource"],
  [
    "s3",
    [OBJECT],
    "AbortMultipartUpload DeleteObject DeleteObjectVersion GetObject GetObjectTagging GetObjectVersion ListMultipartUploadParts PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging",
  ],
  ["s3", [BUCKET], "GetBucketAcl GetBucketLocation ListBucket ListBucketVersions PutBucketPolicy"],
  ["secretsmanager", [arn("secretsmanager", "secret:.+")], "GetSecretValue"],
  ["sns", [arn("sns", "[^:]+")], "Publish"],
  ["states", [arn("states", "execution:.+")], "DescribeExecution GetExecutionHistory StopExecution"],
  ["states", [arn("states", "stateMachine:.+")], "DescribeStateMachine StartExecution"],
  ["sts", [arn("iam", "role/.+")], "AssumeRole"],
  ["xray", NONE, "GetSamplingRules GetSamplingTargets PutTelemetryRecords PutTraceSegments"],
];

const ACTIONS = new Map(
  TABLE.flatMap(([service, resources, actions]) =>
    actions.split(" ").map((action): [string, readonly RegExp[]] => [`${service}:${action}`, resources]),
  ),
);

/** Actions that a policy names, `s3:GetObject*` by all it stands for, each with the resources that it may be allowed on. */
export function actionsOf(name: string): readonly (readonly [action: string, resources: readonly RegExp[]])[] {
  const pattern = new RegExp(`^${name.replaceAll("*", ".*")}$`);
  return [...ACTIONS].filter(([action]) => pattern.test(action));
}
