import { join } from "node:path";
import { readProxy } from "../../kit/proxy.ts";
import { DOCKER_HUB } from "../../kit/image-ref.ts";
import { firstOf } from "../../oci/client/credentials.ts";
import { dockerConfigCredentials } from "../../oci/client/docker-config.ts";
import { ecr } from "../../aws/services/ecr.ts";
import type { ImageWorkshop } from "../../release/images/workshop.ts";
import { keptUpstreams } from "../accounts/kept-upstreams.ts";
import type { Session } from "../aws/session.ts";
import type { Cli } from "../cli.ts";

/**
 * What copies of images have to work with here: the profile's ECR, and upstream registries as `docker login` knows them, a
 * mirror by its own name before that of the registry whose images it has. Where the local accounts were told to read a
 * registry elsewhere, it is read there here too.
 */
export function workshopOf(
  cli: Pick<Cli, "settings" | "clock" | "say">,
  { clients, place, local }: Session<"ecr">,
  upstreams: Readonly<Record<string, string>>,
): ImageWorkshop {
  const { settings, clock } = cli;
  const moved = { ...(local && keptUpstreams(local.dataDir)), ...upstreams };
  const mirrorOf = (registry: string): string | undefined => (moved[registry] === undefined ? undefined : new URL(moved[registry]).host);
  const logins = dockerConfigCredentials(join(settings.inherited["DOCKER_CONFIG"] ?? join(settings.home, ".docker"), "config.json"));
  const loginAt = (host: string | undefined) => (host === undefined ? undefined : logins(host));
  return {
    ecr: clients.ecr,
    place,
    clock,
    upstreams: moved,
    ...(local && { endpoint: local.endpoint }),
    ecrIn: (region) => ecr({ ...clients.target, region }),
    credentials: firstOf(async (registry) => loginAt(mirrorOf(registry)), logins),
    say: cli.say,
    proxy: readProxy(settings.inherited),
    howToLogIn: (registry) => howToLogIn(mirrorOf(registry) ?? registry),
    // ECR stores ten manifests a second for an account and region; the local one has no such limit.
    tuning: local ? {} : { manifestPutsPerSecond: 10, rangesPerBlob: 4 },
  };
}

const howToLogIn = (host: string): string => `log in with \`${host === DOCKER_HUB ? "docker login" : `docker login ${host}`}\``;
