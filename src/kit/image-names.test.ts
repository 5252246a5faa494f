import { describe, expect, test } from "vitest";
import { formatImageRef, parseImageRef } from "./image-ref.ts";
import { InvalidValue } from "./invalid-value.ts";
import { formatTarget, targetRepository } from "./registry-namespaces.ts";

// Names as workflows write them, and where they have to go by the documents alone: the helper's README for its namespaces,
// distribution/reference for short names, the registries' own documentation for hosts. Nothing here was copied from output.
const SHA256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SHA512 = `sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e`;
const HOME = { account: "111122223333", region: "us-east-1" };
const HOME_HOST = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
const of255 = (registry: string): string => `${registry}/${"n".repeat(255 - registry.length - 1)}`;

describe("names of workflows", () => {
  test.each([
    // Biocontainers and Quay.
    ["quay.io/biocontainers/bwa-mem2:2.2.1--he513fc3_0", "quay/biocontainers/bwa-mem2:2.2.1--he513fc3_0"],
    [
      "quay.io/biocontainers/mulled-v2-fe8faa35dbf6dc65a0f7f5d4ea12e31a79f73e40:219b6c272b25e7e642ae3ff0bf0c5c81a5135ab4-0",
      "quay/biocontainers/mulled-v2-fe8faa35dbf6dc65a0f7f5d4ea12e31a79f73e40:219b6c272b25e7e642ae3ff0bf0c5c81a5135ab4-0",
    ],
    ["quay.io/biocontainers/bioconductor-deseq2:1.42.0--r43hf17093f_0", "quay/biocontainers/bioconductor-deseq2:1.42.0--r43hf17093f_0"],
    ["quay.io/biocontainers/python:3.9--1", "quay/biocontainers/python:3.9--1"],
    ["docker://quay.io/biocontainers/samtools:1.21--h50ea8bc_0", "quay/biocontainers/samtools:1.21--h50ea8bc_0"],
    ["quay.io/nf-core/ubuntu", "quay/nf-core/ubuntu:latest"],
    ["quay.io/lifebitai/download_reads:latest", "quay/lifebitai/download_reads:latest"],
    [`quay.io/biocontainers/fastqc@${SHA256}`, `quay/biocontainers/fastqc@${SHA256}`],
    ["quay/biocontainers/star:2.7.10a--h9ee0642_0", "quay/biocontainers/star:2.7.10a--h9ee0642_0"],
    // Docker Hub: short names belong to library/, users' do not.
    ["ubuntu", "dockerhub/library/ubuntu:latest"],
    ["python:3.11-slim-bookworm", "dockerhub/library/python:3.11-slim-bookworm"],
    ["r-base:4.4.1", "dockerhub/library/r-base:4.4.1"],
    ["docker.io/library/alpine:3.20", "dockerhub/library/alpine:3.20"],
    ["broadinstitute/gatk:4.6.1.0", "dockerhub/broadinstitute/gatk:4.6.1.0"],
    ["index.docker.io/staphb/spades:4.0.0", "dockerhub/staphb/spades:4.0.0"],
    ["registry-1.docker.io/nfcore/base:2.1", "dockerhub/nfcore/base:2.1"],
    ["registry.hub.docker.com/ensemblorg/ensembl-vep:release_113.0", "dockerhub/ensemblorg/ensembl-vep:release_113.0"],
    [`ubuntu:24.04@${SHA256}`, "dockerhub/library/ubuntu:24.04"],
    [`debian@${SHA512}`, `dockerhub/library/debian@${SHA512}`],
    ["hello_world/x__y", "dockerhub/hello_world/x__y:latest"],
    // Seqera's containers: tags that look like digests.
    ["community.wave.seqera.io/library/bwa_htslib_samtools:56c9f8d5201889a4", "seqera/library/bwa_htslib_samtools:56c9f8d5201889a4"],
    ["community.wave.seqera.io/library/multiqc:1.25.1--f0f8a3b8b7e1a9a3", "seqera/library/multiqc:1.25.1--f0f8a3b8b7e1a9a3"],
    ["community.wave.seqera.io/library/gatk4_gcnvkernel:e48d414933d188cd", "seqera/library/gatk4_gcnvkernel:e48d414933d188cd"],
    ["community-cr-prod.seqera.io/docker/registry/v2/blobs:1", "community-cr-prod.seqera.io/docker/registry/v2/blobs:1"],
    ["wave.seqera.io/wt/8c6b0d4d8d5d/biocontainers/fastqc:0.11.9", "wave/wt/8c6b0d4d8d5d/biocontainers/fastqc:0.11.9"],
    // Vendors.
    ["nvcr.io/nvidia/clara/clara-parabricks:4.3.1-1", "nvcr/nvidia/clara/clara-parabricks:4.3.1-1"],
    ["nvcr.io/nvidia/cuda:12.4.1-devel-ubuntu22.04", "nvcr/nvidia/cuda:12.4.1-devel-ubuntu22.04"],
    ["mcr.microsoft.com/dotnet/runtime:8.0", "mcr/dotnet/runtime:8.0"],
    ["mcr.microsoft.com/powershell", "mcr/powershell:latest"],
    ["cgr.dev/chainguard/wolfi-base:latest", "chainguard/chainguard/wolfi-base:latest"],
    ["registry.k8s.io/pause:3.10", "k8s/pause:3.10"],
    ["k8s.gcr.io/pause:3.1", "k8s/pause:3.1"],
    // GitHub and GitLab: deep paths.
    ["ghcr.io/dnanexus-rnd/glnexus:v1.4.3", "ghcr/dnanexus-rnd/glnexus:v1.4.3"],
    ["ghcr.io/org/a/b:sha-1234567", "ghcr/org/a/b:sha-1234567"],
    ["registry.gitlab.com/group/subgroup/project/tool/image:v1.0.0-rc.1", "gitlab/group/subgroup/project/tool/image:v1.0.0-rc.1"],
    // Google: regional hosts share a namespace, as with the helper.
    ["gcr.io/deepvariant-docker/deepvariant:1.6.1", "gcr/deepvariant-docker/deepvariant:1.6.1"],
    ["us.gcr.io/broad-dsp-gcr-public/terra-jupyter-r:2.1.7", "gcr/broad-dsp-gcr-public/terra-jupyter-r:2.1.7"],
    ["eu.gcr.io/p/tool:1", "gcr/p/tool:1"],
    ["us-docker.pkg.dev/p/r/i:1", "gar/p/r/i:1"],
    ["europe-west1-docker.pkg.dev/my-project/my-repo/sub/tool:1", "gar/my-project/my-repo/sub/tool:1"],
    // Azure: each registry is its own.
    ["lab.azurecr.io/samples/tool:1", "acr/lab/samples/tool:1"],
    ["lab2.azurecr.io/samples/tool:1", "acr/lab2/samples/tool:1"],
    // ECR Public.
    ["public.ecr.aws/docker/library/ubuntu:22.04", "ecr-public/docker/library/ubuntu:22.04"],
    ["public.ecr.aws/aws-genomics/google/deepvariant:1.4.0", "ecr-public/aws-genomics/google/deepvariant:1.4.0"],
    ["ecr-public/lts/ubuntu:22.04", "ecr-public/lts/ubuntu:22.04"],
    ["ecr-public.aws.com/amazonlinux/amazonlinux:2023", "ecr-public/amazonlinux/amazonlinux:2023"],
    // Private ECR: at home as it is; elsewhere by account and region, in every partition and form of address.
    [`${HOME_HOST}/team/tool:1`, "team/tool:1"],
    ["111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/team/tool:1", "team/tool:1"],
    ["111122223333.dkr-ecr.us-east-1.on.aws/team/tool:1", "team/tool:1"],
    ["444455556666.dkr.ecr.us-east-1.amazonaws.com/team/tool:1", "ecr/444455556666/us-east-1/team/tool:1"],
    ["111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/tool:1", "ecr/111122223333/eu-west-1/team/tool:1"],
    ["444455556666.dkr.ecr.cn-northwest-1.amazonaws.com.cn/tool:1", "ecr/444455556666/cn-northwest-1/tool:1"],
    ["444455556666.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/tool:1", "ecr/444455556666/cn-north-1/tool:1"],
    ["444455556666.dkr.ecr-fips.us-gov-west-1.amazonaws.com/tool:1", "ecr/444455556666/us-gov-west-1/tool:1"],
    ["444455556666.dkr-ecr-fips.us-gov-east-1.on.aws/tool:1", "ecr/444455556666/us-gov-east-1/tool:1"],
    ["444455556666.dkr.ecr.us-east-1.amazonaws.com:443/tool:1", "ecr/444455556666/us-east-1/tool:1"],
    ["444455556666.dkr.ecr.us-east-1.amazonaws.com.example.org/tool:1", "444455556666.dkr.ecr.us-east-1.amazonaws.com.example.org/tool:1"],
    // Registries that no entry knows.
    ["localhost:5000/x", "localhost_5000/x:latest"],
    ["localhost/x:1", "localhost/x:1"],
    ["harbor.lab.example/project/tool:1", "harbor.lab.example/project/tool:1"],
    ["harbor.lab.example:8443/project/tool:1", "harbor.lab.example_8443/project/tool:1"],
    ["[2001:db8::5]:5000/x:1", "ipv6_2001-db8-0-0-0-0-0-5_5000/x:1"],
    ["docker.synapse.org/syn123/tool:1", "docker.synapse.org/syn123/tool:1"],
    // As long as can be: 255 characters of name, 128 of tag.
    [of255("quay.io"), `quay/${"n".repeat(247)}:latest`],
    [of255("docker.io/library"), `dockerhub/library/${"n".repeat(237)}:latest`],
    [`quay.io/a/b:${"t".repeat(128)}`, `quay/a/b:${"t".repeat(128)}`],
  ])("%s → %s", (name, target) => {
    const ref = parseImageRef(name);
    expect(formatTarget(targetRepository(ref, { home: HOME }))).toBe(target);
    expect(parseImageRef(formatImageRef(ref))).toEqual(ref);
  });

  test.each([
    ["quay.io/biocontainers/BWA:0.7", "write quay.io/biocontainers/bwa:0.7"],
    [`${of255("quay.io")}n`, "255"],
    [`quay.io/a/b:${"t".repeat(129)}`, "128"],
    [`quay.io/a/b@sha256:${"0".repeat(63)}`, "sha256: and 64"],
    [`quay.io/a/b@sha512:${"0".repeat(64)}`, "sha512: and 128"],
    ["https://depot.galaxyproject.org/singularity/samtools:1.21--h50ea8bc_0", "Singularity"],
    ["oras://community.wave.seqera.io/library/samtools:1.21--96c5c3e7a2ffa6c5", "Singularity"],
    ["quay.io/biocontainers/samtools:1.21--h50ea8bc_0 ", "blank"],
    ["~{docker}", "variable"],
  ])("%j is refused: %s", (name, sentence) => {
    expect(() => parseImageRef(name)).toThrow(InvalidValue);
    expect(() => parseImageRef(name)).toThrow(sentence);
  });
});
