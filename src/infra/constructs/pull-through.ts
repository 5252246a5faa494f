import { CfnPullThroughCacheRule, CfnRegistryPolicy, CfnRepositoryCreationTemplate } from "aws-cdk-lib/aws-ecr";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { namespaceOf } from "../../kit/registry-namespaces.ts";
import { extendNamespaces } from "../../kit/registry-namespaces-entries.ts";
import { cachedUpstream } from "../../release/images/pull/pull-through.ts";
import { keyIn } from "../../release/images/repositories/repository-settings.ts";
import { stagingStatements } from "../../release/images/repositories/repository-policy.ts";
import { CREATED_BY } from "../../release/names.ts";
import type { DeployConfig, Place } from "../../release/project/deploy-config.ts";
import { encryptRepositories } from "../policies.ts";

export interface PullThroughProps {
  readonly place: Place;
  readonly containers: DeployConfig["containers"];
}

/** The prefixes of ECR that the cache fills: those of the registries' images when they are copied. */
export const cachedPrefixes = ({ pullThrough, namespaces }: DeployConfig["containers"]): readonly string[] =>
  pullThrough.map((host) => namespaceOf(host, extendNamespaces(namespaces)) ?? host);

/**
 * ECR's pull-through cache for the declared registries: a rule and a template for the repositories it makes (tagged and
 * opened to HealthOmics from their first moment), and HealthOmics's right to have an image brought.
 * @see https://docs.aws.amazon.com/omics/latest/dev/workflows-ecr.html
 */
export class PullThrough extends Construct {
  constructor(scope: Construct, id: string, { place, containers }: PullThroughProps) {
    super(scope, id);
    const prefixes = cachedPrefixes(containers);
    const kmsKey = keyIn(containers.repositories, place);
    const role = this.templateRole(place, prefixes, kmsKey);
    containers.pullThrough.forEach((host, index) => {
      const upstream = cachedUpstream(host);
      const prefix = prefixes[index] ?? host;
      const credentialArn = containers.credentials[host];
      const template = new CfnRepositoryCreationTemplate(this, `Template-${prefix}`, {
        prefix,
        appliedFor: ["PULL_THROUGH_CACHE"],
        customRoleArn: role.roleArn,
        description: `omx: images of ${host}`,
        // Said in either case: what a template drops, an update may leave as it is.
        encryptionConfiguration: kmsKey ? { encryptionType: "KMS", kmsKey } : { encryptionType: "AES256" },
        imageTagMutability: containers.repositories.immutableTags ? "IMMUTABLE" : "MUTABLE",
        resourceTags: [{ key: CREATED_BY.key, value: CREATED_BY.value }],
        repositoryPolicy: JSON.stringify({ Version: "2012-10-17", Statement: stagingStatements(place) }),
      });
      template.node.addDependency(role);
      const rule = new CfnPullThroughCacheRule(this, `Rule-${prefix}`, {
        ecrRepositoryPrefix: prefix,
        upstreamRegistry: upstream?.registry ?? host,
        upstreamRegistryUrl: upstream?.url ?? host,
        ...(credentialArn && { credentialArn }),
      });
      // A first pull between the two would make a repository without tag and policy.
      rule.addResourceDependency(template);
    });
    this.registryPolicy(place, prefixes);
  }

  /** Whom ECR acts as when it makes a repository with tags, and a key. */
  private templateRole(place: Place, prefixes: readonly string[], key: string | undefined): Role {
    const { account, region } = place;
    const role = new Role(this, "TemplateRole", {
      assumedBy: new ServicePrincipal("ecr.amazonaws.com"),
      description: "What ECR may do for repositories that its cache makes",
    });
    role.addToPolicy(
      new PolicyStatement({
        sid: "MakeRepositories",
        actions: ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"],
        resources: prefixes.map((prefix) => `arn:aws:ecr:${region}:${account}:repository/${prefix}/*`),
      }),
    );
    for (const one of encryptRepositories(place, key)) role.addToPolicy(one);
    return role;
  }

  private registryPolicy({ account, region }: Place, prefixes: readonly string[]): void {
    new CfnRegistryPolicy(this, "RegistryPolicy", {
      policyText: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "OmxHealthOmicsCache",
            Effect: "Allow",
            Principal: { Service: "omics.amazonaws.com" },
            Action: ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage"],
            Resource: prefixes.map((prefix) => `arn:aws:ecr:${region}:${account}:repository/${prefix}/*`),
            Condition: { StringEquals: { "aws:SourceAccount": account } },
          },
        ],
      },
    });
  }
}
