import { existsSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { sha256OfFile, uploadFile } from "../../aws/objects.ts";
import { formatS3Uri } from "../../kit/s3-uri.ts";
import type { ReleaseEnvironment } from "../../release/environment.ts";
import { artifactsBucket, PREFIXES } from "../../release/names.ts";
import type { Project } from "../../release/project/project.ts";
import { checkInputs } from "../../workflow/check-inputs.ts";
import { Problem } from "../cli.ts";
import { textOf } from "../definition/named.ts";

/**
 * Reads the inputs of a run and checks them against the workflow's parameters.
 * @throws Problem listing everything that HealthOmics or the engine would refuse
 */
export function readInputs(file: string, { inspection, parameterTemplate, engine }: Project): Record<string, unknown> {
  const inputs = parse(file);
  const problems = checkInputs(inputs, {
    inspection,
    template: parameterTemplate,
    isLenient: engine === "WDL_LENIENT",
    areFilesStaged: true,
  });
  if (problems.length > 0)
    throw new Problem(
      `${file} does not fit the workflow:\n${problems.map(({ message }) => `  ${message}`).join("\n")}`,
      "`omx inspect` shows the parameters and their types",
    );
  const missing = missingFiles(inputs as Record<string, unknown>, inspection, dirname(resolve(file)));
  if (missing.length > 0)
    throw new Problem(
      `${file} names files that are not there:\n${missing.map((line) => `  ${line}`).join("\n")}`,
      "write paths relative to that file, or s3://…",
    );
  return inputs as Record<string, unknown>;
}

/** Types of WDL and CWL whose values are files. */
const OF_FILES = /^(?:File(?:\[\])?|Array\[File\??\])[+?]*$/;

/** HealthOmics would be given such a path as it is written, and refuse the run. */
function missingFiles(inputs: Readonly<Record<string, unknown>>, { parameters }: Project["inspection"], folder: string): readonly string[] {
  const named = parameters.filter(({ name, type }) => name in inputs && OF_FILES.test(type));
  return named.flatMap(({ name }) =>
    [inputs[name]]
      .flat()
      .filter((value): value is string => typeof value === "string" && !value.includes("://") && !isFile(resolve(folder, value)))
      .map((value) => `${name}: ${resolve(folder, value)}`),
  );
}

function parse(file: string): unknown {
  const text = textOf(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem(`${file} is not JSON: ${(error as Error).message}`, 'write {"parameter": value, …}');
  }
}

/** Uploads every file of this machine that an input names (relative to the inputs' file), and puts its URI there. */
export async function stageInputs(
  env: ReleaseEnvironment,
  name: string,
  { inputs, file }: { readonly inputs: Readonly<Record<string, unknown>>; readonly file: string },
): Promise<Record<string, unknown>> {
  const folder = dirname(resolve(file));
  return (await staged(inputs)) as Record<string, unknown>;

  async function staged(value: unknown): Promise<unknown> {
    if (typeof value === "string") return isFile(resolve(folder, value)) && !value.includes("://") ? upload(resolve(folder, value)) : value;
    if (Array.isArray(value)) return Promise.all(value.map(staged));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, member]) => [key, await staged(member)] as const)));
  }

  async function upload(path: string): Promise<string> {
    const at = {
      bucket: artifactsBucket(env.cicd.account, env.cicd.region),
      key: `${PREFIXES.testData}/${name}/${(await sha256OfFile(path)).slice(0, 16)}/${basename(path)}`,
    };
    const { uploaded, bytes } = await uploadFile(env.clients.s3, path, at);
    env.emit({ type: "data.staged", path: basename(path), uri: formatS3Uri(at), bytes, uploaded });
    return formatS3Uri(at);
  }
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();
