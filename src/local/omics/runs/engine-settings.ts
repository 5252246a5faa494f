import { invalid } from "../errors.ts";
import type { Definition } from "../store.ts";

/** Each setting, and its values where they are a closed list. */
const SETTINGS: Readonly<Record<string, readonly string[] | undefined>> = {
  engineVersion: undefined,
  syntaxVersion: ["v1", "v2"],
  outputFormat: ["json", "text", "none"],
  agentMode: ["true", "false"],
  profile: undefined,
};

/**
 * Nextflow's settings of a run: texts under known names, with known values, and profiles that the definition has (guide, "Starting a run").
 * @throws AwsError ValidationException
 */
export function checkedSettings(settings: unknown, { profiles = [] }: Definition): Readonly<Record<string, string>> {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) throw invalid("engineSettings must be a JSON object");
  const entries = Object.entries(settings as Readonly<Record<string, unknown>>);
  for (const [key, value] of entries) {
    if (!Object.hasOwn(SETTINGS, key)) throw invalid(`engineSettings has no '${key}'; it has ${Object.keys(SETTINGS).join(", ")}`);
    if (typeof value !== "string") throw invalid(`engineSettings.${key} must be a string`);
    const values = SETTINGS[key];
    if (values?.includes(value) === false) throw invalid(`engineSettings.${key} is '${value}'; it is one of ${values.join(", ")}`);
  }
  const checked = Object.fromEntries(entries) as Readonly<Record<string, string>>;
  const unknown = (checked["profile"] ?? "")
    .split(",")
    .map((name) => name.trim())
    .find((name) => name !== "" && !profiles.includes(name));
  if (unknown !== undefined) throw invalid(`The workflow has no profile '${unknown}'; it has ${profiles.join(", ") || "none"}`);
  return checked;
}
