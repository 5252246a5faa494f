import { RESULT } from "./results.ts";

const LAMBDA_TRANSIENT = [
  "Lambda.ServiceException",
  "Lambda.AWSLambdaException",
  "Lambda.SdkClientException",
  "Lambda.TooManyRequestsException",
  "ThrottlingException",
  "TooManyRequestsException",
];
const lambdaRetry = {
  ErrorEquals: LAMBDA_TRANSIENT,
  IntervalSeconds: 2,
  BackoffRate: 2,
  MaxAttempts: 6,
  MaxDelaySeconds: 60,
  JitterStrategy: "FULL",
};
/** A registry that throttles or does not answer, after the client's own tries: the name of the function's error. */
export const REGISTRY_BUSY = "RegistryBusy";
/** What is no manifest: the name of the function's error, and of the execution's. */
export const INVALID_INPUT = "InvalidInput";
/** What the results of all images may take up together, of the 262,144 bytes that a state may hand on (step-functions/latest/dg/service-quotas.html). */
export const RESULTS_BYTES = 240_000;
const registryRetry = {
  ErrorEquals: [REGISTRY_BUSY],
  IntervalSeconds: 20,
  BackoffRate: 2,
  MaxAttempts: 3,
  MaxDelaySeconds: 120,
  JitterStrategy: "FULL",
};
// A project at its limit of builds, and the API's own limit of requests.
const buildRetry = {
  ErrorEquals: [
    "CodeBuild.AccountLimitExceededException",
    "CodeBuild.ThrottlingException",
    "CodeBuild.AWSCodeBuildException",
    "CodeBuild.SdkClientException",
  ],
  IntervalSeconds: 20,
  BackoffRate: 2,
  MaxAttempts: 8,
  MaxDelaySeconds: 300,
  JitterStrategy: "FULL",
};

const invoke = (substitution: string, rest: object): object => ({
  Type: "Task",
  Resource: "arn:aws:states:::lambda:invoke",
  Arguments: { FunctionName: `\${${substitution}}`, Payload: "{% $states.input %}" },
  Output: "{% $states.result.Payload %}",
  TimeoutSeconds: 960,
  Retry: [lambdaRetry, registryRetry],
  ...rest,
});

const oneLine = (expression: string): string => expression.replaceAll(/\s+/g, " ");

// A function's error is JSON with a stack trace. Of any other cause nobody knows the form, and what can't be parsed would end the Map.
const MESSAGE = `(
    $cause := $states.errorOutput.Cause;
    $isOfFunction := $substring($cause, 0, 7) = '{"error' and $substring($cause, -1) = '}';
    $said := $isOfFunction ? $parse($cause).errorMessage;
    $said ? $said : $cause
  )`;

const plan = (kind: "pull" | "build", Next: string): object =>
  invoke("PlanImages", {
    Arguments: { FunctionName: "${PlanImages}", Payload: { kind, input: "{% $states.input %}" } },
    Assign: { resultBytes: `{% $floor(${RESULTS_BYTES} / $max([1, $count($states.result.Payload.images)])) %}` },
    Catch: [{ ErrorEquals: [INVALID_INPUT], Output: oneLine(`{% ${MESSAGE} %}`), Next: "NoManifest" }],
    Next,
  });

/** What was known of the image, and why it failed. */
const failedRecord = {
  ErrorEquals: ["States.ALL"],
  Output: oneLine(`{% (
    $known := $sift($states.input, function($value, $member) { $member in ['source_uri', 'target_image', 'build'] });
    $error := $states.errorOutput.Error;
    $message := ${MESSAGE};
    $merge([$known, {'status': 'FAILED', 'reason': $error = '${REGISTRY_BUSY}' ? $message : $message ? $error & ': ' & $message : $error}])
  ) %}`),
  Next: "Result",
};

/** An image's result, its reason no longer than there is room for all of them (room.ts). */
const result = {
  Type: "Succeed",
  Output: oneLine(`{% (
    $whole := $states.input;
    $left := $resultBytes - $length($string($whole)) + $length($whole.reason);
    $isLong := $exists($whole.reason) and $left < $length($whole.reason);
    $image := $isLong ? $merge([$whole, {'reason': $left > 0 ? $substring($whole.reason, 0, $left) : ''}]) : $whole;
    ${RESULT}
  ) %}`),
};

/** The name of the state whose output is every image's result. */
export const EACH_IMAGE = "EachImage";
// A cause has 32,768 characters at most (API_DescribeExecution); longer ones would be cut in the middle of the JSON.
const LONGEST_CAUSE = 30_000;

/** After the last image: all results, or a failure that carries them all; where they are too many, the failed ones with their reasons, or as many of their names as it holds. */
const ending = {
  Judge: {
    Type: "Choice",
    Choices: [{ Condition: "{% $count($states.input.images[status = 'FAILED']) > 0 %}", Next: "SomeFailed" }],
    Default: "AllThere",
  },
  SomeFailed: {
    Type: "Fail",
    Error: "ImagesFailed",
    Cause: oneLine(`{% (
      $failed := $states.input.images[status = 'FAILED'];
      $all := $string({'failed': $count($failed), 'images': $states.input.images});
      $told := {'failed': $count($failed), 'results': 'in the output of the state ${EACH_IMAGE}'};
      $reasons := $string($merge([$told, {'failures': [$failed.{'source_uri': image.source_uri, 'reason': statusMessage}]}]));
      $longest := $max($map($failed, function($image) { $length($string([$image.image.source_uri])) }));
      $names := $string($merge([$told, {'sources': [$failed.image.source_uri][[0..$floor(${LONGEST_CAUSE - 1000} / $longest) - 1]]}]));
      $length($all) <= ${LONGEST_CAUSE} ? $all : $length($reasons) <= ${LONGEST_CAUSE} ? $reasons : $names
    ) %}`),
  },
  AllThere: { Type: "Succeed", Output: "{% [$states.input.images] %}" },
  NoManifest: { Type: "Fail", Error: INVALID_INPUT, Cause: "{% $states.input %}" },
};

// What CodeBuild leaves a build in its queue unless a project says otherwise (API_CreateProject, queuedTimeoutInMinutes).
const LONGEST_QUEUE_HOURS = 8;

/** What a function leaves to a build. */
const HANDED_OVER = "{% $states.input.status in ['TOO_LARGE', 'NEEDS_ENGINE'] %}";

/** A build that takes what a function leaves to it. */
interface LongBuild {
  readonly project: string;
  /** Names the item to the build. */
  readonly variable: string;
  readonly hours: number;
}

/** Builds, and leaves what became of it to the function, which reads a failed build's last lines: a cause may be JSON or not. */
const building = ({ project, variable, hours }: LongBuild): object => ({
  Type: "Task",
  Resource: "arn:aws:states:::codebuild:startBuild.sync",
  Arguments: {
    ProjectName: `\${${project}}`,
    EnvironmentVariablesOverride: [{ Name: variable, Type: "PLAINTEXT", Value: "{% $string($states.input) %}" }],
  },
  Output:
    "{% $merge([$states.input, {'status': 'BUILD_ENDED', 'build': $states.result.Build.Id, 'exported': [$states.result.Build.ExportedEnvironmentVariables]}]) %}",
  TimeoutSeconds: (hours + LONGEST_QUEUE_HOURS) * 3600,
  Retry: [buildRetry],
  Catch: [
    {
      ErrorEquals: ["States.ALL"],
      Output:
        "{% $merge([$states.input, {'status': 'BUILD_FAILED', 'cause': $states.errorOutput.Error & ': ' & $states.errorOutput.Cause}]) %}",
      Next: "Work",
    },
  ],
  Next: "Work",
});

/** For each item: work, and, where a function can't, a build of CodeBuild; then the function again, which judges what is there. */
function eachImage({ work, build }: { readonly work: string; readonly build: LongBuild }, concurrency: number): object {
  return {
    Type: "Map",
    Items: "{% $states.input.images %}",
    MaxConcurrency: concurrency,
    ItemProcessor: {
      ProcessorConfig: { Mode: "INLINE" },
      StartAt: "IsLeft",
      States: {
        IsLeft: {
          Type: "Choice",
          Choices: [
            { Condition: "{% $states.input.status in ['FAILED', 'SUCCEEDED', 'SKIPPED'] %}", Next: "Result" },
            { Condition: HANDED_OVER, Next: "Build" },
          ],
          Default: "Work",
        },
        Work: invoke(work, { Catch: [failedRecord], Next: "IsDone" }),
        IsDone: { Type: "Choice", Choices: [{ Condition: HANDED_OVER, Next: "Build" }], Default: "Result" },
        Build: building(build),
        Result: result,
      },
    },
    Output: "{% {'images': $states.result} %}",
    Next: "Judge",
  };
}

/**
 * `omx-container-puller`: brings every image of `{"manifest": ["ubuntu:20.04", …]}` into the account's ECR, with what refers
 * to it where the input says `"referrers": true`, each blob once. One that fails fails the execution after the others are done. What is too large for a function is copied by CodeBuild.
 */
export const pullerDefinition = (): object => ({
  Comment: "Brings container images into private ECR",
  QueryLanguage: "JSONata",
  StartAt: "Plan",
  States: {
    Plan: plan("pull", "Together"),
    // One function knows what all images need, and brings each blob once. What it has to leave is tried alone.
    Together: invoke("PullImage", {
      Catch: [{ ErrorEquals: ["States.ALL"], Output: "{% $states.input %}", Next: EACH_IMAGE }],
      Next: EACH_IMAGE,
    }),
    [EACH_IMAGE]: eachImage({ work: "PullImage", build: { project: "ImagePullProject", variable: "OMX_IMAGE_PULL", hours: 8 } }, 10),
    ...ending,
  },
});

/**
 * `omx-container-builder`: builds every image of `{"manifest": [{"source_uri": "s3://…", "target_image": "foo:tag"}]}`.
 * What needs no RUN is assembled by a function, as far as its time and disk reach; the rest is built by CodeBuild and checked by the function afterwards.
 * @param hours after which CodeBuild ends a build
 */
export const builderDefinition = (hours: number): object => ({
  Comment: "Builds container images into private ECR",
  QueryLanguage: "JSONata",
  StartAt: "Plan",
  States: {
    Plan: plan("build", EACH_IMAGE),
    [EACH_IMAGE]: eachImage({ work: "BuildImage", build: { project: "ImageBuildProject", variable: "OMX_IMAGE_BUILD", hours } }, 5),
    ...ending,
  },
});
