import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import type { Credentials } from "./clients.ts";

/** Keys for a session of a role. */
export async function assumeRole(sts: STSClient, roleArn: string, sessionName: string): Promise<Credentials> {
  const { Credentials: keys } = await sts.send(
    new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName, DurationSeconds: 900 }),
  );
  return {
    accessKeyId: keys?.AccessKeyId ?? "",
    secretAccessKey: keys?.SecretAccessKey ?? "",
    ...(keys?.SessionToken && { sessionToken: keys.SessionToken }),
  };
}
