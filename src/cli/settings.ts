import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the machine and the user's environment say; read once, by main.ts. */
export interface Settings {
  /** The clone (or package) this program is part of. */
  readonly root: string;
  /** Where local accounts keep their state, unless `--data` says otherwise. */
  readonly dataDir: string;
  /** PATH with this project's programs and its Node in front. */
  readonly path: string;
  readonly home: string;
  /** The environment as it was found, for programs that work for the user (`cdk`). */
  readonly inherited: Readonly<Record<string, string>>;
  /** AWS_CONFIG_FILE */
  readonly configFile?: string;
  /** AWS_PROFILE */
  readonly profile?: string;
  /** AWS_REGION or AWS_DEFAULT_REGION */
  readonly region?: string;
  /** Whether AWS_ACCESS_KEY_ID names an identity. */
  readonly hasKeys: boolean;
  /** AWS_ENDPOINT_URL */
  readonly endpoint?: string;
}

/** Reads the environment once. `OMX_DATA` moves the folder of the local accounts. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const root = projectRoot();
  const text = (name: string): string | undefined => env[name] || undefined;
  const region = text("AWS_REGION") ?? text("AWS_DEFAULT_REGION");
  const [configFile, profile, endpoint] = [text("AWS_CONFIG_FILE"), text("AWS_PROFILE"), text("AWS_ENDPOINT_URL")];
  return {
    root,
    dataDir: text("OMX_DATA") ?? join(root, ".omx", "local"),
    path: [join(root, "node_modules", ".bin"), dirname(process.execPath), text("PATH") ?? "/usr/local/bin:/usr/bin:/bin"].join(delimiter),
    home: text("HOME") ?? homedir(),
    inherited: Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
    hasKeys: text("AWS_ACCESS_KEY_ID") !== undefined,
    ...(configFile && { configFile }),
    ...(profile && { profile }),
    ...(region && { region }),
    ...(endpoint && { endpoint }),
  };
}

/** From `src/cli` and from `dist/cli` alike. */
const projectRoot = (): string => fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");
