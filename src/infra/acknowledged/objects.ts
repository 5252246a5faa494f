import { artifactsBucket, pipelineName, PREFIXES, releasesBucket } from "../../release/names.ts";
import type { Place } from "../../release/project/deploy-config.ts";
import { type Acknowledgement, EXPORTED_ARTIFACTS, paths, resource, type Reviewed } from "./finding.ts";

/** Objects of S3, of which folders are allowed. */
export const objects = (reviewed: Reviewed): readonly Acknowledgement[] => [
  ...pipelineArtifacts(reviewed),
  ...sharedArtifacts(reviewed),
  ...toolkits(reviewed),
  ...bundles(reviewed),
];

const below = (arn: string, at: readonly string[], reason: string): Acknowledgement => ({ finding: resource(`${arn}*`), at, reason });

/** What a workflow's own pipeline reads and writes. */
function pipelineArtifacts(reviewed: Reviewed): readonly Acknowledgement[] {
  const { workflow } = reviewed;
  const { wf } = paths(reviewed);
  const both = [`${wf}/Build`, `${wf}/Promote`];
  const folder = (prefix: string): string => `${EXPORTED_ARTIFACTS}/${prefix}/${workflow}/`;
  const artifacts = `${EXPORTED_ARTIFACTS}/${pipelineName(workflow).slice(0, 20)}/`;
  return [
    below(artifacts, both, "The artifacts of this pipeline, in whose keys CodePipeline puts random names."),
    below(`${artifacts}Built/`, [`${wf}/Build`], "The build's own output, in whose keys CodePipeline puts random names."),
    below(folder(PREFIXES.definitions), both, "This workflow's definitions, named by digest."),
    below(folder(PREFIXES.evidence), both, "This workflow's evidence, a folder for each version."),
    below(folder(PREFIXES.imageSources), [`${wf}/Build`], "This workflow's image sources, named by digest."),
    below(
      folder(PREFIXES.testData),
      both,
      "This workflow's test data, a folder for each version; promotion hands on what a smoke run needs.",
    ),
  ];
}

/** What test runs and builds of images of all workflows read and write. */
function sharedArtifacts({ cicd }: Reviewed): readonly Acknowledgement[] {
  const folder = (prefix: string): string => `arn:aws:s3:::${artifactsBucket(cicd.account, cicd.region)}/${prefix}/`;
  return [
    below(folder(PREFIXES.testData), ["omx-cicd/RunRole"], "Test runs read the data of the tests, a folder for each version."),
    below(
      folder(PREFIXES.testOutputs),
      ["omx-cicd/RunRole", "omx-cicd/Judge"],
      "Test runs write a folder for each run, whose name HealthOmics makes; the judge reads it.",
    ),
    below(folder(PREFIXES.evidence), ["omx-cicd/Judge"], "The judge writes what it found for every workflow, a folder for each version."),
    below(
      folder(PREFIXES.imageSources),
      ["omx-containers/BuildImage", "omx-containers/ImageBuild"],
      "Sources of images to build, named by the digest of their content.",
    ),
  ];
}

function toolkits(reviewed: Reviewed): readonly Acknowledgement[] {
  const { cicd, production, toolkitKey } = reviewed;
  const { wf, prod } = paths(reviewed);
  const toolkit = ({ account, region }: Place, at: readonly string[]): Acknowledgement =>
    below(
      `arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-${account}-${region}/${toolkitKey}`,
      at,
      "One object, named by the digest of its content; nothing else begins with that name.",
    );
  return [
    toolkit(cicd, ["omx-containers/ImageBuild", "omx-containers/ImagePull", `${wf}/Checks`]),
    toolkit(production, [`${prod}/Release`]),
  ];
}

/** What arrives in production, and the runs of released versions. */
function bundles(reviewed: Reviewed): readonly Acknowledgement[] {
  const { production, workflow } = reviewed;
  const { wf, prod } = paths(reviewed);
  const releases = `arn:aws:s3:::${releasesBucket(production.account, production.region)}`;
  return [
    below(`${releases}/${workflow}/`, [`${wf}/Promote`], "This workflow's bundles, a folder for each version."),
    below(
      `${releases}/`,
      [`${prod}/Verify`, `${prod}/Release`],
      "The bundles of all workflows arrive here, and results are written beside them.",
    ),
    below(`${releases}/data/`, [`${prod}/RunRole`], "What runs of released versions may read."),
    below(`${releases}/*/smoke/`, [`${prod}/RunRole`], "The data of smoke runs, beside the bundle it came with."),
    below(`${releases}/runs/`, [`${prod}/RunRole`], "Where runs of released versions write, a folder for each run."),
  ];
}
