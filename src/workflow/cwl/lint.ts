/** What HealthOmics would refuse of a CWL definition that an engine accepts, or do differently without a word. */
import { Script } from "node:vm";

import type { Diagnostic } from "../inspection.ts";
import { languageVersion } from "./versions.ts";
import { isNull, itemsOf, type MapNode, mapOf, member, namedItems, type Node, stringOf } from "./nodes.ts";
import { partsOf } from "./evaluate.ts";
import { problem } from "./problems.ts";
import { requirementOf } from "./process.ts";
import { missingSecondaryFiles } from "./secondary-files.ts";
import { distinct, effectiveRequirement, type Running, type Use } from "./walk.ts";

/** The findings in everything that runs, each once. */
export function lintCwl({ tools, others }: Running): readonly Diagnostic[] {
  const all = [...tools, ...others];
  return distinct([
    ...tools.flatMap(imageFindings),
    ...tools.flatMap(resourceFindings),
    ...tools.flatMap(isolationFindings),
    ...all.flatMap(({ scope }) => processFindings(scope.process.class, scope.process.node)),
    ...all.flatMap(loopFindings),
    ...missingSecondaryFiles(all),
  ]);
}

function imageFindings({ scope }: Use): readonly Diagnostic[] {
  const { node } = scope.process;
  const docker = effectiveRequirement(scope, "DockerRequirement");
  if (!docker)
    return [
      problem(
        "cwl-no-image",
        node.at,
        "the tool names no container image, so it runs in a default image of the service and its results are never cached",
      ),
    ];
  if (!isNull(member(docker, "dockerPull"))) return [];
  const built = ["dockerFile", "dockerLoad", "dockerImport"].find((key) => member(docker, key));
  return built === undefined
    ? []
    : [
        problem(
          "cwl-built-image",
          docker.at,
          `\`${built}\` builds an image where the workflow runs; HealthOmics only takes images from private ECR: build it before and name it with dockerPull`,
        ),
      ];
}

/** The smallest request, the largest instance of every Region and of any (user guide, memory-and-compute-tasks). */
const LIMITS = {
  coresMin: { least: 1, most: 96, limit: 192, unit: "vCPU" },
  ramMin: { least: 1024, most: 768 * 1024, limit: 1536 * 1024, unit: "MiB" },
} as const;

function resourceFindings({ scope }: Use): readonly Diagnostic[] {
  const resources = effectiveRequirement(scope, "ResourceRequirement");
  return (["coresMin", "ramMin"] as const).flatMap((key) => {
    const node = member(resources, key);
    if (node?.kind !== "scalar" || typeof node.value !== "number") return [];
    const { least, most, limit, unit } = LIMITS[key];
    if (node.value > limit)
      return [problem("cwl-resources-too-large", node.at, `${key} asks for ${node.value} ${unit}; the largest instance has ${limit}`)];
    if (node.value > most)
      return [
        problem(
          "cwl-resources-few-regions",
          node.at,
          `${key} asks for ${node.value} ${unit}; the largest instance of every Region has ${most}`,
        ),
      ];
    return node.value < least
      ? [
          problem(
            "cwl-resources-too-small",
            node.at,
            `${key} asks for ${node.value} ${unit}; HealthOmics gives, and bills, at least ${least}`,
          ),
        ]
      : [];
  });
}

const ACCELERATORS: ReadonlySet<string> = new Set([
  "nvidia-tesla-t4",
  "nvidia-tesla-t4-a10g",
  "nvidia-tesla-a10g",
  "nvidia-t4-a10g-l4",
  "nvidia-l4-a10g",
  "nvidia-l4",
  "nvidia-l40s",
]);

function isolationFindings({ scope }: Use): readonly Diagnostic[] {
  const network = member(effectiveRequirement(scope, "NetworkAccess"), "networkAccess");
  const writable = member(effectiveRequirement(scope, "InplaceUpdateRequirement"), "inplaceUpdate");
  const cuda = member(effectiveRequirement(scope, "cwltool:CUDARequirement"), "cudaComputeCapability");
  return [
    ...(isTrue(network) && network
      ? [
          problem(
            "cwl-network",
            network.at,
            "the tool wants a network, which only runs in VPC mode have; by default a task reaches S3 and ECR of its Region alone",
          ),
        ]
      : []),
    ...(isTrue(writable) && writable
      ? [problem("cwl-inplace-update", writable.at, "the tool writes to its inputs, which HealthOmics stages read-only")]
      : []),
    ...itemsOf(cuda).flatMap((item) => {
      const name = stringOf(item);
      return name !== undefined && ACCELERATORS.has(name)
        ? []
        : [
            problem(
              "cwl-accelerator",
              item.at,
              `cudaComputeCapability takes the name of an accelerator of HealthOmics: ${[...ACCELERATORS].join(", ")}`,
            ),
          ];
    }),
    ...environmentFindings(effectiveRequirement(scope, "EnvVarRequirement")),
  ];
}

const isTrue = (node: Node | undefined): boolean => node?.kind === "scalar" && node.value === true;

const environmentFindings = (environment: MapNode | undefined): readonly Diagnostic[] =>
  namedItems(member(environment, "envDef"), "envName")
    .filter(({ id }) => id.startsWith("AWS_WORKFLOW_"))
    .map(({ id, at }) => problem("cwl-reserved-variable", at, `the prefix AWS_WORKFLOW_ of "${id}" is reserved by HealthOmics`));

function processFindings(kind: string, node: MapNode): readonly Diagnostic[] {
  const operation =
    kind === "Operation" ? [problem("cwl-operation", node.at, "an Operation has no implementation, and HealthOmics refuses it")] : [];
  const hasScript = (["requirements", "hints"] as const).some((field) => requirementOf(node, field, "InlineJavascriptRequirement"));
  return [...operation, ...(hasScript ? scriptFindings(node) : []), ...remoteDefaults(node)];
}

/** Bodies of JavaScript that only a sloppy engine compiles. They are compiled and never run. */
function scriptFindings(node: Node): readonly Diagnostic[] {
  if (node.kind === "list") return node.items.flatMap(scriptFindings);
  if (node.kind === "map") return [...node.entries].flatMap(([key, { value }]) => (key === "run" ? [] : scriptFindings(value)));
  if (typeof node.value !== "string" || !node.value.includes("${")) return [];
  const bodies = partsOf(node.value).flatMap((part) => (typeof part !== "string" && part.isBody ? [part.text] : []));
  const sloppy = bodies.some((body) => compiles(`(function(){${body}\n})`) && !compiles(`(function(){"use strict";${body}\n})`));
  return sloppy
    ? [problem("cwl-strict-javascript", node.at, "this JavaScript does not compile in strict mode, which HealthOmics uses")]
    : [];
}

function compiles(source: string): boolean {
  try {
    return Boolean(new Script(source));
  } catch {
    return false;
  }
}

function remoteDefaults(node: Node): readonly Diagnostic[] {
  return namedItems(member(node, "inputs")).flatMap((input) => {
    const location = member(member(input.node, "default"), "location") ?? member(member(input.node, "default"), "path");
    const written = stringOf(location) ?? "";
    if (!location || !/^(https?|ftp|gs):|^\//.test(written)) return [];
    return [
      problem(
        "cwl-remote-default",
        location.at,
        `the default of "${input.id}" is "${written}", which HealthOmics cannot read: it takes s3:// and files of the definition`,
      ),
    ];
  });
}

function loopFindings({ scope }: Use): readonly Diagnostic[] {
  const version = languageVersion(scope.process.document);
  const loop = scope.step && mapOf(requirementOf(scope.step.node, "requirements", "cwltool:Loop"));
  const outer = scope.within && languageVersion(scope.within.process.document);
  return loop && (outer ?? version) !== "v1.2"
    ? [problem("cwl-loop-version", loop.at, "the Loop extension works with `cwlVersion: v1.2` only")]
    : [];
}
