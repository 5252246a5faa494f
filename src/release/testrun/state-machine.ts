import { ENDED } from "./verdicts.ts";

/** What `omx-test-run` is started with: the file `test-run.json` of a build. */
export interface TestRunInput {
  readonly workflowId: string;
  readonly versionName: string;
  readonly roleArn: string;
  /** `s3://bucket/prefix/` */
  readonly outputUri: string;
  /** Where evidence goes: bucket and prefix without a slash at its end. */
  readonly evidence: { readonly bucket: string; readonly prefix: string };
  readonly tests: readonly TestRunCase[];
}

/** One test case as the state machine needs it; judged by the expectations kept in the evidence. */
export interface TestRunCase {
  readonly name: string;
  readonly runName: string;
  readonly requestId: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly storageType: "STATIC" | "DYNAMIC";
  /** GiB; only with STATIC. */
  readonly storageCapacity?: number;
  readonly cacheId?: string;
  readonly cacheBehavior?: "CACHE_ALWAYS" | "CACHE_ON_FAILURE";
  readonly timeoutSeconds: number;
  readonly tags: Readonly<Record<string, string>>;
}

const TRANSIENT = [
  "Omics.ThrottlingException",
  "Omics.InternalServerException",
  "Omics.RequestTimeoutException",
  "Lambda.ServiceException",
  "Lambda.TooManyRequestsException",
  "Lambda.SdkClientException",
];
const retry = [{ ErrorEquals: TRANSIENT, IntervalSeconds: 2, BackoffRate: 2, MaxAttempts: 6, MaxDelaySeconds: 60, JitterStrategy: "FULL" }];

/**
 * Starts one run for each test, waits until each has ended or its time is over (then cancels it), and has the outputs
 * judged. It ends whatever a run does: every state has a way out, and the machine has a limit of its own.
 * `${JudgeFunction}` is filled in by the template.
 */
export function testRunDefinition(): object {
  return {
    Comment: "Runs a workflow version on its test data and judges the outputs",
    QueryLanguage: "JSONata",
    // No longer than its pipeline waits for it (codepipeline/latest/userguide/limits.html): runs of a release that failed would go on.
    TimeoutSeconds: 7 * 24 * 3600,
    StartAt: "EachTest",
    States: {
      EachTest: {
        Type: "Map",
        Items: "{% $states.input.tests %}",
        ItemSelector: {
          test: "{% $states.context.Map.Item.Value %}",
          workflowId: "{% $states.input.workflowId %}",
          versionName: "{% $states.input.versionName %}",
          roleArn: "{% $states.input.roleArn %}",
          outputUri: "{% $states.input.outputUri %}",
          patience: `{% $count($states.input.tests) * ${PATIENCE} %}`,
        },
        MaxConcurrency: 10,
        ItemProcessor: { ProcessorConfig: { Mode: "INLINE" }, StartAt: "StartRun", States: oneTest() },
        Output: "{% $merge([$states.input, {'runs': $states.result}]) %}",
        Next: "Judge",
      },
      Judge: {
        Type: "Task",
        Resource: "arn:aws:states:::lambda:invoke",
        Arguments: { FunctionName: "${JudgeFunction}", Payload: "{% $states.input %}" },
        TimeoutSeconds: 900,
        Retry: retry,
        Output: "{% $states.result.Payload %}",
        Next: "Verdict",
      },
      Verdict: { Type: "Choice", Choices: [{ Condition: "{% $states.input.passed %}", Next: "Passed" }], Default: "Failed" },
      Passed: { Type: "Succeed" },
      Failed: { Type: "Fail", Error: "TestsFailed", Cause: "{% $states.input.summary %}" },
    },
  };
}

// An execution has 25,000 events in its history, and fails with the next (step-functions/latest/dg/service-quotas.html); each
// look at a run is nine. Looking every half minute, ten tests of two hours were too many. So a wait grows with the time
// that went by, by this part of it for each test: whatever their number and time, they end within the history.
const PATIENCE = 0.008;

const oneTest = (): object => ({ ...starting(), ...polling(), ...ending(), Result: { Type: "Succeed" } });

/** Members that a test does not give are left out: JSONata drops what has no value. */
const START_RUN = expression(`(
  $test := $states.input.test;
  {
    'WorkflowId': $states.input.workflowId, 'WorkflowVersionName': $states.input.versionName, 'RoleArn': $states.input.roleArn,
    'Name': $test.runName, 'OutputUri': $states.input.outputUri, 'Parameters': $test.parameters, 'RequestId': $test.requestId,
    'StorageType': $test.storageType, 'StorageCapacity': $test.storageCapacity, 'CacheId': $test.cacheId, 'CacheBehavior': $test.cacheBehavior,
    'LogLevel': 'ALL', 'RetentionMode': 'RETAIN', 'Tags': $test.tags
  }
)`);

/** ASL's schema takes a JSONata expression on one line only. */
function expression(jsonata: string): string {
  return `{% ${jsonata.replaceAll(/\s+/g, " ")} %}`;
}

const WAIT_SECONDS = expression(`(
  $part := $floor(($millis() - $started) / 1000 * $patience);
  $left := $max([1, $ceil(($deadline - $millis()) / 1000)]);
  $min([$left, $max([$part, $min([30, 1 + $floor($polls / 4)])])])
)`);

function starting(): object {
  const failed = (status: string) => [
    {
      ErrorEquals: ["States.ALL"],
      Output: {
        name: "{% $states.input.test.name %}",
        status,
        message: "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}",
      },
      Next: "Result",
    },
  ];
  return {
    StartRun: {
      Type: "Task",
      Resource: "arn:aws:states:::aws-sdk:omics:startRun",
      Arguments: START_RUN,
      Assign: {
        started: "{% $millis() %}",
        deadline: "{% $millis() + $states.input.test.timeoutSeconds * 1000 %}",
        patience: "{% $states.input.patience %}",
        polls: 0,
        runId: "{% $states.result.Id %}",
        test: "{% $states.input.test %}",
      },
      Output: {},
      Retry: retry,
      Catch: failed("NOT_STARTED"),
      Next: "Wait",
    },
  };
}

function polling(): object {
  return {
    // Short at first, so that a short run is not waited for, then half a minute or the test's part of its time; never long past its end.
    Wait: { Type: "Wait", Seconds: WAIT_SECONDS, Assign: { polls: "{% $polls + 1 %}" }, Next: "GetRun" },
    GetRun: {
      Type: "Task",
      Resource: "arn:aws:states:::aws-sdk:omics:getRun",
      Arguments: { Id: "{% $runId %}" },
      Output: {
        status: "{% $states.result.Status %}",
        message: "{% $exists($states.result.StatusMessage) ? $states.result.StatusMessage : '' %}",
        uri: "{% $exists($states.result.RunOutputUri) ? $states.result.RunOutputUri : '' %}",
        failureReason: "{% $exists($states.result.FailureReason) ? $states.result.FailureReason : '' %}",
      },
      Retry: retry,
      Catch: [
        {
          ErrorEquals: ["States.ALL"],
          Output: {
            name: "{% $test.name %}",
            runId: "{% $runId %}",
            status: "UNKNOWN",
            message: "{% $states.errorOutput.Error & ': ' & $states.errorOutput.Cause %}",
          },
          Next: "Result",
        },
      ],
      Next: "HasEnded",
    },
    HasEnded: {
      Type: "Choice",
      Choices: [
        { Condition: `{% $states.input.status in ${JSON.stringify(ENDED).replaceAll('"', "'")} %}`, Next: "Ended" },
        { Condition: "{% $millis() > $deadline %}", Next: "CancelRun" },
      ],
      Default: "Wait",
    },
  };
}

function ending(): object {
  return {
    CancelRun: {
      Type: "Task",
      Resource: "arn:aws:states:::aws-sdk:omics:cancelRun",
      Arguments: { Id: "{% $runId %}" },
      Retry: retry,
      Catch: [{ ErrorEquals: ["States.ALL"], Next: "TimedOut" }],
      Next: "TimedOut",
    },
    TimedOut: {
      Type: "Pass",
      Output: {
        name: "{% $test.name %}",
        runId: "{% $runId %}",
        status: "TIMED_OUT",
        message: "{% 'the run did not end within ' & $string($test.timeoutSeconds) & ' s and was cancelled' %}",
      },
      Next: "Result",
    },
    Ended: {
      Type: "Pass",
      Output: {
        name: "{% $test.name %}",
        runId: "{% $runId %}",
        status: "{% $states.input.status %}",
        message:
          "{% $states.input.failureReason != '' ? $states.input.failureReason & ': ' & $states.input.message : $states.input.message %}",
        outputUri: "{% $states.input.uri %}",
      },
      Next: "Result",
    },
  };
}
