import { Failure } from "../../gateway/failure.ts";
import type { ActionContext, ActionOutcome } from "../action.ts";
import type { ArtifactLocation } from "../store.ts";

const POLL_MS = 150;
/** What AWS gives a function to answer in: codepipeline/latest/userguide/limits.html. */
const PATIENCE_MS = 20 * 60_000;
const SESSION_SECONDS = 3600;

/** Hands a function a job and waits until it has called PutJobSuccessResult or PutJobFailureResult. */
export async function lambdaInvoke(context: ActionContext): Promise<ActionOutcome> {
  const { core, configuration, current, note, signal } = context;
  if (!current().externalId) {
    await invoke(context);
    note({ externalId: current().id });
  }
  const deadline = Date.parse(current().started) + PATIENCE_MS;
  for (;;) {
    const { status, jobResult } = current();
    if (status === "Abandoned") throw new Failure("JobFailed", "the execution was stopped");
    if (jobResult?.failure) throw new Failure(jobResult.failure.type, jobResult.failure.message);
    if (jobResult)
      return { ...(jobResult.variables && { variables: jobResult.variables }), ...(jobResult.summary && { summary: jobResult.summary }) };
    if (core.clock.now().getTime() > deadline)
      throw new Failure(
        "JobFailed",
        `function ${configuration["FunctionName"]} did not call PutJobSuccessResult or PutJobFailureResult within 20 minutes`,
      );
    await core.clock.sleep(POLL_MS, signal);
  }
}

// The event: https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html#actions-invoke-lambda-function-json-event-example
async function invoke({ core, execution, configuration, as, current, inputs, outputs }: ActionContext): Promise<void> {
  const { account, region, declaration } = execution;
  const keys = core.directory.issue(as, SESSION_SECONDS);
  const located = ({ name, bucket, key }: ArtifactLocation) => ({
    name,
    revision: null,
    location: { type: "S3", s3Location: { bucketName: bucket, objectKey: key } },
  });
  const event = {
    "CodePipeline.job": {
      id: current().id,
      accountId: account,
      data: {
        actionConfiguration: { configuration },
        inputArtifacts: inputs.map(located),
        outputArtifacts: outputs.map(located),
        artifactCredentials: { accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey, sessionToken: keys.sessionToken },
        ...(declaration.artifactStore?.encryptionKey && { encryptionKey: declaration.artifactStore.encryptionKey }),
      },
    },
  };
  await core.dispatcher.call({
    service: "lambda",
    operation: "Invoke",
    as,
    account,
    region,
    input: { FunctionName: configuration["FunctionName"], InvocationType: "Event", Payload: Buffer.from(JSON.stringify(event)) },
  });
}
