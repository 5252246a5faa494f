const LAMBDA_TRANSIENT = ["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.TooManyRequestsException", "ThrottlingException", "TooManyRequestsException"];
const retry = [{ ErrorEquals: LAMBDA_TRANSIENT, IntervalSeconds: 2, BackoffRate: 2, MaxAttempts: 6, MaxDelaySeconds: 60, JitterStrategy: "FULL" }];

const invoke = (substitution: string, rest: object): object => ({
  Type: "Task",
  Resource: "arn:aws:states:::lambda:invoke",
  Arguments: { FunctionName: `\${${substitution}}`, Payload: "{% $states.input %}" },
  Output: "{% $states.result.Payload %}",
  TimeoutSeconds: 900,
  Retry: retry,
  ...rest,
});

const failedRecord = {
  ErrorEquals: ["States.ALL"],
  Output: "{% $merge([$states.input, {'status': 'FAILED', 'reason': $states.errorOutput.Cause ? $states.errorOutput.Error & ': ' & $states.errorOutput.Cause : $states.errorOutput.Error}]) %}",
  Next: "Result",
};

/** After the last image: all results, or a failure that carries them all. */
const ending = {
  Judge: { Type: "Choice", Choices: [{ Condition: "{% $count($states.input.images[status = 'FAILED']) > 0 %}", Next: "SomeFailed" }], Default: "AllThere" },
  SomeFailed: {
    Type: "Fail",
    Error: "ImagesFailed",
    Cause: "{% $string({'failed': $count($states.input.images[status = 'FAILED']), 'images': $states.input.images}) %}",
  },
  AllThere: { Type: "Succeed" },
};

/**
 * `omx-container-puller`: brings every image of `{"manifest": ["ubuntu:20.04", …]}` into the account's ECR. One that
 * fails fails the execution after the others are done. An image too large for one invocation answers CONTINUE, and
 * the next invocation finds the blobs that are there.
 */
export function pullerDefinition(): object {
  return {
    Comment: "Brings container images into private ECR",
    QueryLanguage: "JSONata",
    StartAt: "Plan",
    States: {
      Plan: invoke("PlanImages", { Next: "EachImage" }),
      EachImage: {
        Type: "Map",
        Items: "{% $states.input.images %}",
        MaxConcurrency: 10,
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          StartAt: "Pull",
          States: {
            Pull: invoke("PullImage", { Catch: [failedRecord], Next: "IsThere" }),
            IsThere: { Type: "Choice", Choices: [{ Condition: "{% $states.input.status = 'CONTINUE' %}", Next: "Pull" }], Default: "Result" },
            Result: { Type: "Succeed" },
          },
        },
        Output: "{% {'images': $states.result} %}",
        Next: "Judge",
      },
      ...ending,
    },
  };
}

/**
 * `omx-container-builder`: builds every image of `{"manifest": [{"source_uri": "s3://…", "target_image": "foo:tag"}]}`.
 * What needs no RUN is assembled by a function; the rest is built by CodeBuild and checked by the function afterwards.
 */
export function builderDefinition(): object {
  return {
    Comment: "Builds container images into private ECR",
    QueryLanguage: "JSONata",
    StartAt: "EachImage",
    States: {
      EachImage: {
        Type: "Map",
        Items: "{% $states.input.manifest %}",
        MaxConcurrency: 5,
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          StartAt: "Build",
          States: {
            Build: invoke("BuildImage", { Catch: [failedRecord], Next: "NeedsEngine" }),
            NeedsEngine: { Type: "Choice", Choices: [{ Condition: "{% $states.input.status = 'NEEDS_ENGINE' %}", Next: "BuildWithEngine" }], Default: "Result" },
            BuildWithEngine: {
              Type: "Task",
              Resource: "arn:aws:states:::codebuild:startBuild.sync",
              Arguments: {
                ProjectName: "${ImageBuildProject}",
                EnvironmentVariablesOverride: [
                  { Name: "OMX_IMAGE_BUILD", Type: "PLAINTEXT", Value: "{% $string($states.input) %}" },
                ],
              },
              Output: "{% $merge([$states.input, {'status': 'BUILT_BY_ENGINE', 'build': $states.result.Build.Id}]) %}",
              TimeoutSeconds: 7200,
              Catch: [failedRecord],
              Next: "Build",
            },
            Result: { Type: "Succeed" },
          },
        },
        Output: "{% {'images': $states.result} %}",
        Next: "Judge",
      },
      ...ending,
    },
  };
}
