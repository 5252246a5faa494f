import { Failure } from "../../gateway/failure.ts";
import type { ActionContext, ActionOutcome } from "../action.ts";

const POLL_MS = 150;
const WEEK_MS = 7 * 24 * 3_600_000;

/** Waits until a person approves or rejects, at most seven days; tells the topic that it waits. */
export async function manualApproval(context: ActionContext): Promise<ActionOutcome> {
  const { core, execution, current, note, signal } = context;
  if (!current().token) {
    note({ token: core.random.uuid() });
    await announce(context).catch((error: Error) =>
      core.log("codepipeline", `approval message of ${execution.pipeline} was not sent: ${error.message}`),
    );
  }
  const deadline = Date.parse(current().started) + patienceMs(context);
  for (;;) {
    const { status, summary, updatedBy } = current();
    if (status === "Abandoned") throw new Failure("JobFailed", "the execution was stopped");
    if (updatedBy && summary?.startsWith("Approved"))
      return { summary: summary.slice("Approved ".length), variables: { comment: summary.slice("Approved ".length) } };
    if (updatedBy && summary?.startsWith("Rejected"))
      throw new Failure(
        "Rejected",
        `Rejected by ${updatedBy}${summary.length > "Rejected ".length ? `: ${summary.slice("Rejected ".length)}` : ""}`,
      );
    if (core.clock.now().getTime() > deadline) throw new Failure("JobFailed", "nobody answered in time");
    await core.clock.sleep(POLL_MS, signal);
  }
}

/** Seven days unless the action says otherwise. */
const patienceMs = ({ declared }: ActionContext): number =>
  declared.timeoutInMinutes === undefined ? WEEK_MS : declared.timeoutInMinutes * 60_000;

// The message's form: https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
async function announce(context: ActionContext): Promise<void> {
  const { core, execution, configuration, declared, as, current } = context;
  const { NotificationArn: topicArn, CustomData: customData, ExternalEntityLink: externalEntityLink } = configuration;
  if (!topicArn) return;
  const { account, region, pipeline } = execution;
  const approvalReviewLink =
    externalEntityLink ?? `https://console.aws.amazon.com/codesuite/codepipeline/pipelines/${pipeline}/view?region=${region}`;
  const message = {
    region,
    consoleLink: approvalReviewLink,
    approval: {
      pipelineName: pipeline,
      stageName: current().stage,
      actionName: declared.name,
      token: current().token,
      expires: new Date(Date.parse(current().started) + patienceMs(context)).toISOString().slice(0, 16) + "Z",
      externalEntityLink: externalEntityLink ?? null,
      approvalReviewLink,
      customData: customData ?? null,
    },
  };
  await core.dispatcher.call({
    service: "sns",
    operation: "Publish",
    input: {
      TopicArn: topicArn,
      Subject: `APPROVAL NEEDED: AWS CodePipeline ${pipeline} for action ${declared.name}`.slice(0, 100),
      Message: JSON.stringify(message),
    },
    as,
    account,
    region,
  });
}
