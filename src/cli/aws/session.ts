import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { chosenClients, type ClientsOf, type ServiceName, type Services } from "../../aws/chosen-clients.ts";
import { sts } from "../../aws/services/sts.ts";
import type { Target } from "../../aws/target.ts";
import { readProxy } from "../../kit/proxy.ts";
import { REGION } from "../../kit/region.ts";
import type { Place } from "../../release/project/deploy-config.ts";
import { type Cli, Problem, UsageError } from "../cli.ts";
import { readProfile } from "./profiles.ts";

/** Which identity a command works as. */
export interface Choice {
  readonly profile?: string;
  readonly region?: string;
  /** The identity of the local accounts, where nothing else is said. @default "cicd" */
  readonly localProfile?: string;
}

/** AWS, or some services of it, or the local accounts, as somebody. */
export interface Session<Name extends ServiceName = ServiceName> {
  readonly clients: ClientsOf<Name>;
  readonly place: Place;
  /** Who calls. */
  readonly arn: string;
  readonly profile?: string;
  /** Set for the local accounts: their folder and their config file. */
  readonly local?: { readonly endpoint: string; readonly configFile: string; readonly dataDir: string };
}

/**
 * Signs in: the profile asked for, AWS_PROFILE, the environment's keys, or the local accounts, in this order.
 * @param services what the command calls
 * @throws Problem when no identity or region can be told
 */
export async function openSession<Name extends ServiceName>(cli: Cli, choice: Choice, services: Services<Name>): Promise<Session<Name>> {
  const { target, local } = findTarget(cli, choice);
  const { Account = "", Arn = "" } = await sts(target).send(new GetCallerIdentityCommand({}));
  return {
    clients: chosenClients(target, services),
    place: { account: Account, region: target.region },
    arn: Arn,
    ...(target.profile && { profile: target.profile }),
    ...local,
  };
}

interface Found {
  readonly target: Target;
  readonly local?: Pick<Session, "local" | "profile">;
}

function findTarget(cli: Cli, choice: Choice): Found {
  const { settings } = cli;
  const name = choice.profile ?? settings.profile;
  if (name === undefined && settings.hasKeys)
    return {
      target: {
        region: regionOf(cli, choice),
        ...(settings.endpoint && { endpoint: settings.endpoint }),
        proxy: readProxy(settings.inherited),
      },
    };
  const localFile = settings.configFile ?? join(settings.dataDir, "aws-config");
  const wanted = name ?? choice.localProfile ?? "cicd";
  const found = readProfile(localFile, wanted);
  if (found?.endpoint && found.credentials) {
    const { endpoint, credentials } = found;
    return {
      target: { region: regionOf(cli, choice, found.region), endpoint, credentials },
      local: { profile: wanted, local: { endpoint, configFile: localFile, dataDir: dirname(localFile) } },
    };
  }
  if (name === undefined)
    throw new Problem(
      "no AWS identity is chosen, and there are no local accounts",
      "give --profile NAME, or start the local accounts: omx local start --detach",
    );
  const userFile = settings.configFile ?? join(settings.home, ".aws", "config");
  if (!readProfile(userFile, name) && !readProfile(join(settings.home, ".aws", "credentials"), name))
    throw new Problem(
      `there is no profile ${name} in ${existsSync(localFile) && localFile !== userFile ? `${localFile} or ` : ""}${userFile}`,
      "choose another --profile, or start the local accounts: omx local start --detach",
    );
  return {
    target: { region: regionOf(cli, choice, readProfile(userFile, name)?.region), profile: name, proxy: readProxy(settings.inherited) },
  };
}

function regionOf({ settings }: Cli, { region }: Choice, ofProfile?: string): string {
  const chosen = region ?? ofProfile ?? settings.region;
  if (!chosen) throw new Problem("no region is chosen", "give --region, set AWS_REGION, or write a region into the profile");
  if (!REGION.test(chosen))
    throw new UsageError(`${ofProfile ? "the profile's region" : "AWS_REGION"} is "${chosen}"; a region looks like us-east-1`);
  return chosen;
}
