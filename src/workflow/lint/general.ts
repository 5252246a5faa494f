/** Findings that do not depend on the language. */
import { parseImageRef } from "../../kit/image-ref.ts";
import { privateEcrOf } from "../../kit/image-ref-ecr.ts";
import { InvalidValue } from "../../kit/invalid-value.ts";
import type { Diagnostic, ImageUse, Inspection, Severity, UnresolvedImage } from "../inspection.ts";
import type { SourceTree } from "../source-tree.ts";
import { generalRules } from "./general-rules.ts";
import { namespacedInputs } from "./namespaced-inputs.ts";
import { isMapped, type RegistryMap } from "./registry-map.ts";

/** What a caller knows beyond the files. */
export interface LintContext {
  /** Mappings the workflow will be created with. */
  readonly registryMap?: RegistryMap;
  /** Whether images are brought into private ECR and mapped before the workflow is created, as a release does. @default false */
  readonly areImagesStaged?: boolean;
  /** Size of the packed definition. @default the files' sizes together, which are not less */
  readonly zipBytes?: number;
  /** The README that goes with the workflow. @default README.md in the root */
  readonly readme?: string;
}

const SEVERITIES: ReadonlyMap<string, Severity> = new Map(generalRules.map(({ id, severity }) => [id, severity]));

type Spot = Pick<Diagnostic, "file" | "line"> & { readonly column?: number };

const finding = (rule: string, { file, line, column = 1 }: Spot, message: string, severity?: Severity): Diagnostic => ({
  rule,
  severity: severity ?? SEVERITIES.get(rule) ?? "error",
  file,
  line,
  column,
  message,
});

/** The findings in an inspection and in what lies beside the definition. */
export function generalFindings(tree: SourceTree, inspection: Inspection, context: LintContext): readonly Diagnostic[] {
  return [
    ...firstUses(inspection.images).flatMap((use) => imageFindings(use, context)),
    ...inspection.unresolved.flatMap(unresolvedFinding),
    ...parameterFindings(inspection),
    ...mainFindings(inspection),
    ...versionFindings(inspection),
    ...sizeFindings(tree, inspection, context),
    ...readmeFindings(tree, context),
    ...namespacedInputs(tree, inspection),
  ];
}

/** Each image once for each place it is written in, however many tasks use it. */
const firstUses = (images: readonly ImageUse[]): readonly ImageUse[] =>
  [...new Map(images.toReversed().map((use) => [`${use.image} ${use.file}:${use.line}`, use])).values()].toReversed();

function unresolvedFinding(use: UnresolvedImage): readonly Diagnostic[] {
  const who = use.input === undefined ? "only the run tells" : `the input "${use.input}" decides`;
  const { patterns = [], expression, task } = use;
  const known = patterns.length === 0 || patterns.includes(expression) ? expression : `${expression}: ${patterns.join(", ")}`;
  const moving = patterns.find((pattern) => pattern.endsWith(":latest"));
  return [
    ...(moving === undefined
      ? []
      : [finding("image-latest", use, `task "${task}" uses "${moving}", which can mean another image tomorrow`)]),
    finding("image-unresolved", use, `${who} which image task "${task}" uses (${known})`),
  ];
}

function imageFindings(use: ImageUse, { registryMap, areImagesStaged = false }: LintContext): readonly Diagnostic[] {
  const task = `task "${use.task}"`;
  try {
    const image = parseImageRef(use.image);
    const isMoving = image.digest === undefined && (image.tag === undefined || image.tag === "latest");
    const isCovered = areImagesStaged || privateEcrOf(image) !== undefined || isMapped(use.image, image, registryMap);
    return [
      ...(isMoving ? [finding("image-latest", use, `${task} uses "${use.image}", which can mean another image tomorrow`)] : []),
      ...(isCovered
        ? []
        : [finding("image-public", use, `${task} uses "${use.image}" of ${image.registry}, and no registry mapping leads to private ECR`)]),
    ];
  } catch (error) {
    if (error instanceof InvalidValue) return isForOtherEngines(use) ? [] : [finding("image-invalid", use, `${task}: ${error.message}`)];
    throw error;
  }
}

/** nf-core's containers name a Singularity file where Singularity is the engine, which it never is here. */
const isForOtherEngines = ({ condition }: ImageUse): boolean => condition !== undefined;

const MAX_DESCRIPTION = 256;
const MAX_NAME = 128;
const QUOTA_PARAMETERS = 1000;
const MAX_PARAMETERS = 2000;
const QUOTA_TEMPLATE_BYTES = 400_000;

function parameterFindings({ parameters, parameterTemplate, path }: Inspection): readonly Diagnostic[] {
  const places = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  const entries = Object.entries(parameterTemplate);
  const each = entries.flatMap(([name, { description }]) => {
    const at = places.get(name) ?? { file: path, line: 1 };
    return [...nameFindings(name, at), ...descriptionFindings(name, description ?? "", at)];
  });
  return [...each, ...countFindings(entries.length, Buffer.byteLength(JSON.stringify(parameterTemplate)), { file: path, line: 1 })];
}

const nameFindings = (name: string, at: Spot): readonly Diagnostic[] =>
  name.length > MAX_NAME || /\p{C}/u.test(name)
    ? [
        finding(
          "parameter-name",
          at,
          `the name "${name.slice(0, 40)}…" has ${name.length} characters; at most ${MAX_NAME}, none of them a control character, are taken`,
        ),
      ]
    : [];

function descriptionFindings(name: string, description: string, at: Spot): readonly Diagnostic[] {
  const length = [...description].length;
  if (length > MAX_DESCRIPTION)
    return [
      finding("parameter-description", at, `the description of "${name}" has ${length} characters; a template takes ${MAX_DESCRIPTION}`),
    ];
  return /\p{C}/u.test(description)
    ? [finding("parameter-description", at, `the description of "${name}" holds a line break, a tab or another control character`)]
    : [];
}

function countFindings(count: number, bytes: number, at: Spot): readonly Diagnostic[] {
  if (count > MAX_PARAMETERS) return [finding("parameter-count", at, `there are ${count} parameters; a request takes ${MAX_PARAMETERS}`)];
  if (count > QUOTA_PARAMETERS)
    return [finding("parameter-count", at, `there are ${count} parameters; the documented quota is ${QUOTA_PARAMETERS}`, "warning")];
  return bytes > QUOTA_TEMPLATE_BYTES
    ? [
        finding(
          "parameter-count",
          at,
          `the parameter template has ${bytes} bytes; the documented quota is ${QUOTA_TEMPLATE_BYTES}`,
          "warning",
        ),
      ]
    : [];
}

const mainFindings = ({ main, path }: Inspection): readonly Diagnostic[] =>
  main !== undefined && main.length > MAX_NAME
    ? [
        finding(
          "main-path-too-long",
          { file: path, line: 1 },
          `the path of the main file has ${main.length} characters; at most ${MAX_NAME} are taken`,
        ),
      ]
    : [];

/** https://semver.org, "Is there a suggested regular expression" */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

function versionFindings({ version, versionAt, path }: Inspection): readonly Diagnostic[] {
  if (version === undefined || SEMVER.test(version)) return [];
  const message =
    `the definition calls itself version "${version}", which is no semantic version: write major.minor.patch, ` +
    'as in "1.2.0", with a hyphen before a suffix ("1.2.0-dev"), and no "v" in front';
  return [finding("version-not-semver", versionAt ?? { file: path, line: 1 }, message)];
}

const REQUEST_BYTES = 4_400_000;
const S3_BYTES = 100_000_000;
const GIT_FILE_BYTES = 100 * 1024 * 1024;

function sizeFindings(tree: SourceTree, { path }: Inspection, { zipBytes }: LintContext): readonly Diagnostic[] {
  const sizes = tree.files.map((file) => ({ file, bytes: tree.size(file) ?? 0 }));
  const total = zipBytes ?? sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const what = zipBytes === undefined ? "unpacked, the definition has" : "the packed definition has";
  const at = { file: path, line: 1 };
  const large = sizes.filter(({ bytes }) => bytes > GIT_FILE_BYTES);
  return [
    ...(total > S3_BYTES
      ? [
          finding(
            "definition-size",
            at,
            `${what} ${megabytes(total)}; at most 100 MB are taken from S3`,
            zipBytes === undefined ? "warning" : "error",
          ),
        ]
      : []),
    ...(total > REQUEST_BYTES && total <= S3_BYTES
      ? [finding("definition-size", at, `${what} ${megabytes(total)}; above 4.4 MB it has to go by S3 (omx does so)`, "info")]
      : []),
    ...large.map(({ file, bytes }) =>
      finding("definition-size", { file, line: 1 }, `the file has ${megabytes(bytes)}; from a Git repository at most 100 MiB are taken`),
    ),
  ];
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

const README_BYTES = 500 * 1024;

function readmeFindings(tree: SourceTree, { readme = "README.md" }: LintContext): readonly Diagnostic[] {
  const bytes = tree.size(readme) ?? 0;
  return bytes > README_BYTES
    ? [finding("readme-size", { file: readme, line: 1 }, `the README has ${bytes} bytes; at most ${README_BYTES} are taken`)]
    : [];
}
