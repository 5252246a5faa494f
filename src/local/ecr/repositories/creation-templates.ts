import type {
  CreateRepositoryCreationTemplateRequest,
  CreateRepositoryCreationTemplateResponse,
  DeleteRepositoryCreationTemplateRequest,
  DeleteRepositoryCreationTemplateResponse,
  DescribeRepositoryCreationTemplatesRequest,
  DescribeRepositoryCreationTemplatesResponse,
  RepositoryCreationTemplate,
  UpdateRepositoryCreationTemplateRequest,
  UpdateRepositoryCreationTemplateResponse,
} from "@aws-sdk/client-ecr";
import { pageOf } from "../../gateway/paging.ts";
import { type Call, type Core, operation } from "../../gateway/service.ts";
import { invalidParameter, templateExists, templateNotFound } from "../errors.ts";
import { onRegistry, onRegistryWithRole } from "./registry-policy.ts";
import { checkLifecyclePolicy } from "./lifecycle-policy.ts";
import { checkedTags } from "./repositories.ts";
import { checkedPolicy } from "./repository-policies.ts";
import type { Store, Template } from "../store.ts";
import { mutabilityOf } from "./tag-mutability.ts";

const scope = (call: Call, ...rest: readonly string[]) => [call.account, call.region, ...rest];
const PREFIX = /^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$/;

/** What repositories get that ECR creates by itself. */
export function creationTemplateOperations(core: Core, store: Store) {
  const now = () => core.clock.now().toISOString();
  const found = (call: Call, prefix = ""): Template => {
    const template = store.templates.get(scope(call, withoutSlash(prefix)));
    if (!template) throw templateNotFound(prefix, call.account);
    return template;
  };
  return {
    CreateRepositoryCreationTemplate: operation<CreateRepositoryCreationTemplateRequest, CreateRepositoryCreationTemplateResponse>({
      access: onRegistryWithRole("CreateRepositoryCreationTemplate"),
      run(input, call) {
        const template = checked(core, { ...input, prefix: withoutSlash(input.prefix ?? ""), createdAt: now(), updatedAt: now() });
        if (!store.templates.insert(scope(call, template.prefix), template)) throw templateExists(template.prefix, call.account);
        return { registryId: call.account, repositoryCreationTemplate: asAnswer(template) };
      },
    }),
    UpdateRepositoryCreationTemplate: operation<UpdateRepositoryCreationTemplateRequest, UpdateRepositoryCreationTemplateResponse>({
      access: onRegistryWithRole("UpdateRepositoryCreationTemplate"),
      run({ prefix, ...changes }, call) {
        const template = checked(core, { ...found(call, prefix), ...changes, updatedAt: now() } as Template);
        store.templates.put(scope(call, template.prefix), template);
        return { registryId: call.account, repositoryCreationTemplate: asAnswer(template) };
      },
    }),
    DescribeRepositoryCreationTemplates: describeTemplates(store, found),
    DeleteRepositoryCreationTemplate: operation<DeleteRepositoryCreationTemplateRequest, DeleteRepositoryCreationTemplateResponse>({
      access: onRegistry("DeleteRepositoryCreationTemplate"),
      run({ prefix }, call) {
        const template = found(call, prefix);
        store.templates.delete(scope(call, template.prefix));
        return { registryId: call.account, repositoryCreationTemplate: asAnswer(template) };
      },
    }),
  };
}

const describeTemplates = (store: Store, found: (call: Call, prefix: string) => Template) =>
  operation<DescribeRepositoryCreationTemplatesRequest, DescribeRepositoryCreationTemplatesResponse>({
    access: onRegistry("DescribeRepositoryCreationTemplates"),
    run({ prefixes, maxResults = 100, nextToken }, call) {
      const templates = prefixes?.map((prefix) => found(call, prefix)) ?? store.templates.list(scope(call)).map(({ value }) => value);
      const { items, next } = pageOf(templates, {
        token: nextToken,
        limit: maxResults,
        invalid: () => invalidParameter("'nextToken': it is not a token of an earlier answer"),
      });
      return { registryId: call.account, repositoryCreationTemplates: items.map(asAnswer), ...(next !== undefined && { nextToken: next }) };
    },
  });

/** @throws AwsError InvalidParameterException */
function checked(core: Core, template: Template): Template {
  const { prefix, appliedFor, repositoryPolicy, lifecyclePolicy, resourceTags, encryptionConfiguration: { kmsKey } = {} } = template;
  if (!PREFIX.test(prefix) || prefix.length > 256)
    throw invalidParameter(`at 'prefix' failed to satisfy constraint: 'must satisfy regular expression ${PREFIX.source}'`);
  if (!appliedFor || appliedFor.length === 0)
    throw invalidParameter("at 'appliedFor' failed to satisfy constraint: 'Member must not be empty'");
  mutabilityOf(template);
  checkedTags(resourceTags);
  if (lifecyclePolicy) checkLifecyclePolicy(lifecyclePolicy);
  // API_EncryptionConfigurationForRepositoryCreationTemplate: of a repository itself an id and an alias would do.
  if (kmsKey !== undefined && !/^arn:[\w-]+:kms:[^:]+:\d{12}:key\//.test(kmsKey))
    throw invalidParameter(
      `at 'encryptionConfiguration.kmsKey' failed to satisfy constraint: 'the full ARN of a KMS key is needed, and ${kmsKey} is none'`,
    );
  return {
    ...template,
    ...(repositoryPolicy && { repositoryPolicy: checkedPolicy(core, repositoryPolicy, { name: "repositoryPolicy" }) }),
  };
}

const withoutSlash = (prefix: string): string => prefix.replace(/\/$/, "");

const asAnswer = ({ createdAt, updatedAt, encryptionConfiguration, ...template }: Template): RepositoryCreationTemplate => ({
  imageTagMutability: "MUTABLE",
  ...template,
  encryptionConfiguration: encryptionConfiguration ?? { encryptionType: "AES256" },
  createdAt: new Date(createdAt),
  updatedAt: new Date(updatedAt),
});
