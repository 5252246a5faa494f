import { join, resolve } from "node:path";
import type { Command } from "commander";
import { gitCredential } from "../../local/codecommit/git-password.ts";
import { readProfile } from "../aws/profiles.ts";
import { type Cli, Problem } from "../cli.ts";

/** `omx local git-credential` */
export function localGitCredential(group: Command, cli: Cli): void {
  group
    .command("git-credential")
    .argument("[operation]", "what git asks for: get, store or erase", "get")
    .summary("a git credential helper for the local accounts' repositories")
    .description(
      "A git credential helper: answers git with the user name and the password of an identity for the local accounts' CodeCommit. The AWS CLI's own `aws codecommit credential-helper` works too.",
    )
    .requiredOption("--profile <name>", "the identity: developer, cicd, …")
    .option("--data <dir>", "folder of all state", cli.settings.dataDir)
    .addHelpText(
      "after",
      "\nExample:\n  git -c credential.UseHttpPath=true -c credential.helper='!omx local git-credential --profile developer' clone URL",
    )
    .action(async (operation: string, flags: { readonly profile: string; readonly data: string }) => {
      const asked = Object.fromEntries(
        (await cli.input()).split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
      );
      if (operation !== "get") return;
      cli.out(answer(cli, flags, asked));
    });
}

function answer(
  cli: Cli,
  { profile, data }: { readonly profile: string; readonly data: string },
  asked: Readonly<Record<string, string>>,
): string {
  const { host, path } = asked;
  if (!host || !path) throw new Problem("git did not say which repository it asks for", "set credential.UseHttpPath=true");
  const identity = readProfile(join(resolve(data), "aws-config"), profile);
  if (!identity?.credentials)
    throw new Problem(
      `the local accounts in ${data} have no identity ${profile}`,
      "start them with `omx local start`, or choose another --profile",
    );
  const { username, password } = gitCredential({
    ...identity.credentials,
    region: identity.region ?? "us-east-1",
    host,
    path: `/${path}`,
    now: cli.clock.now(),
  });
  return `username=${username}\npassword=${password}\n`;
}
