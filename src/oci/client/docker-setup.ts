import { existsSync } from "node:fs";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What says how Docker is reached, and with what (docs.docker.com/reference/cli/docker, "Docker CLI configuration file"). */
const KEPT = ["currentContext", "proxies", "cliPluginsExtraDirs"];

/** Where the user's own configuration is, as Docker looks for it. */
export const dockerFolder = ({ DOCKER_CONFIG, HOME = "/root" }: Readonly<Record<string, string>>): string =>
  DOCKER_CONFIG || join(HOME, ".docker");

/**
 * Gives another configuration folder of Docker the contexts, proxies and plug-ins of one, and none of its logins. What is not there,
 * or is no JSON, gives nothing.
 */
export async function copyDockerSetup(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await mkdir(to, { recursive: true });
  const config = await readFile(join(from, "config.json"), "utf8")
    .then((text) => JSON.parse(text) as Record<string, unknown>)
    .catch(() => ({}));
  await writeFile(
    join(to, "config.json"),
    JSON.stringify(Object.fromEntries(Object.entries(config).filter(([name]) => KEPT.includes(name)))),
    { mode: 0o600 },
  );
  await cp(join(from, "contexts"), join(to, "contexts"), { recursive: true }).catch(ifMissing);
  await symlink(join(from, "cli-plugins"), join(to, "cli-plugins"));
}

function ifMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
