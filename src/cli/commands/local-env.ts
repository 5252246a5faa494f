import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { withLoopback } from "../../kit/proxy.ts";
import { nodeOptions } from "../../local/program-support.ts";
import { readProfile } from "../aws/profiles.ts";
import { type Cli, printJson, Problem, UsageError } from "../cli.ts";

interface EnvFlags {
  readonly data: string;
  readonly node?: boolean;
  readonly profile?: string;
  readonly json?: boolean;
}

/** `omx local env` */
export function localEnv(group: Command, cli: Cli): void {
  group
    .command("env")
    .summary("the shell's exports with which AWS clients reach the local accounts")
    .description('Prints the exports with which any AWS client reaches the local accounts: eval "$(omx local env --profile cicd)"')
    .option("--profile <name>", "the identity that clients use without --profile: cicd, production, developer, approver")
    .option("--node", "also for programs that use the AWS SDK for JavaScript: a NODE_OPTIONS preload, for what they have no setting for")
    .option("--data <dir>", "folder of all state", cli.settings.dataDir)
    .option("--json", 'one JSON document: {"export": {NAME: value}, "unset": [NAME]}')
    .action((flags: EnvFlags) => {
      const variables = exportsOf(cli, flags);
      if (flags.json) return printJson(cli, { export: variables, unset: KEYS });
      cli.out(
        `unset ${KEYS.join(" ")}\n${Object.entries(variables)
          .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
          .join("")}`,
      );
    });
}

// Keys in the environment win over AWS_PROFILE.
const KEYS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

function exportsOf({ settings }: Cli, { data, node, profile }: EnvFlags): Readonly<Record<string, string>> {
  const configFile = join(resolve(data), "aws-config");
  if (!existsSync(configFile)) throw new Problem(`there are no local accounts in ${data} yet`, "start them with: omx local start --detach");
  if (profile && !readProfile(configFile, profile))
    throw new UsageError(`the local accounts in ${data} have no identity ${profile}; \`omx local status --json\` lists them`);
  return {
    AWS_CONFIG_FILE: configFile,
    // A profile of the same name in the user's own credentials file would win.
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    // The CDK pushes image assets to ECR's own address: this docker pushes them to where the local registry answers.
    CDK_DOCKER: join(resolve(data), "bin", "docker"),
    ...(profile && { AWS_PROFILE: profile }),
    ...(hasProxy(settings.inherited) && {
      NO_PROXY: withLoopback(settings.inherited["NO_PROXY"]),
      no_proxy: withLoopback(settings.inherited["no_proxy"]),
    }),
    ...(node && { NODE_OPTIONS: [nodeOptions(), settings.inherited["NODE_OPTIONS"]].filter(Boolean).join(" ") }),
  };
}

const hasProxy = (environment: Readonly<Record<string, string>>): boolean =>
  ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].some((name) => environment[name]);

const quoted = (text: string): string => (/^[\w./:=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
