import { GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { BatchGetBuildsCommand } from "@aws-sdk/client-codebuild";
import type { AwsClients } from "../../aws/clients.ts";

/** The lines of a CodeBuild build, from its start. */
export async function* readBuildLog({ codebuild, logs }: Pick<AwsClients, "codebuild" | "logs">, buildId: string): AsyncGenerator<{ readonly at: string; readonly message: string }> {
  const { builds } = await codebuild.send(new BatchGetBuildsCommand({ ids: [buildId] }));
  const { groupName, streamName } = builds?.[0]?.logs ?? {};
  if (!groupName || !streamName) return;
  let nextToken: string | undefined;
  for (;;) {
    const page = await logs.send(new GetLogEventsCommand({ logGroupName: groupName, logStreamName: streamName, startFromHead: true, ...(nextToken && { nextToken }) }));
    for (const { timestamp = 0, message = "" } of page.events ?? []) yield { at: new Date(timestamp).toISOString(), message };
    // The same token again means that there is nothing more.
    if (!page.nextForwardToken || page.nextForwardToken === nextToken) return;
    nextToken = page.nextForwardToken;
  }
}
