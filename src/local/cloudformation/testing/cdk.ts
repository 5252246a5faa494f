import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** What a run of the CLI came to. */
export interface CdkRun {
  readonly code: number;
  /** Standard output and error as they came, colours left out. */
  readonly output: string;
}

/** The real `cdk` CLI on one app, with a home and an output folder of its own. */
export interface Cdk extends Disposable {
  run(...args: readonly string[]): Promise<CdkRun>;
}

/**
 * @param configFile the AWS config file that the local accounts wrote
 * @param app the program of the app, the one beside this file by default
 */
export function openCdk(configFile: string, app = join(import.meta.dirname, "cdk-app/app.ts")): Cdk {
  const home = mkdtempSync(join(tmpdir(), "omx-cdk-"));
  const modules = join(import.meta.dirname, "../../../../node_modules/.bin");
  const env = {
    PATH: [dirname(process.execPath), modules, process.env["PATH"]].join(delimiter),
    HOME: home,
    CI: "true",
    NO_COLOR: "1",
    AWS_CONFIG_FILE: configFile,
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    CDK_DISABLE_CLI_TELEMETRY: "true",
  };
  return {
    run: (...args) =>
      finished(
        spawn(join(modules, "cdk"), [...args, "--app", `node --no-warnings ${app}`, "--output", join(home, "cdk.out"), "--no-notices"], {
          env,
          cwd: home,
          stdio: ["ignore", "pipe", "pipe"],
        }),
      ),
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

function finished(child: ReturnType<typeof spawn>): Promise<CdkRun> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
