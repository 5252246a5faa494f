import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { localEnv } from "./local-env.ts";
import { localGitCredential } from "./local-git-credential.ts";
import { localReset } from "./local-reset.ts";
import { localStart } from "./local-start.ts";
import { localStatus } from "./local-status.ts";
import { localStop } from "./local-stop.ts";

/** `omx local …` */
export function local(program: Command, cli: Cli): void {
  const group = program.command("local").summary("the AWS accounts on this machine: start, stop, look")
    .description(`The local accounts: AWS services on this machine that the AWS CLI, boto3, cdk and git use as they are.

Two accounts, cicd (111122223333) and production (444455556666), in one process on one port of loopback; a profile for
each identity: cicd, production (administrators), developer (pushes), approver (approves).

State lives in one folder: --data, else OMX_DATA, else .omx/local in the clone of omx. It survives any end of the process.`);
  for (const add of [localStart, localStop, localStatus, localReset, localEnv, localGitCredential]) add(group, cli);
}
