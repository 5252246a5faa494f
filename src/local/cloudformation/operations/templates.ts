import type {
  Capability,
  GetTemplateInput,
  GetTemplateOutput,
  GetTemplateSummaryInput,
  GetTemplateSummaryOutput,
  ValidateTemplateInput,
  ValidateTemplateOutput,
} from "@aws-sdk/client-cloudformation";
import { type AnyOperation, type Call, operation } from "../../gateway/service.ts";
import { accessRules } from "../access.ts";
import type { CloudFormation } from "../cloudformation.ts";
import { isAcknowledged, requiredCapabilities } from "../engine/capabilities.ts";
import { validationError } from "../engine/errors.ts";
import { inOrder } from "../engine/graph.ts";
import { checkDeclared } from "../engine/instance.ts";
import { references } from "../engine/template/expressions.ts";
import { parseTemplate, type Template } from "../engine/template/template.ts";
import { changeSetMissing, notAvailable, stackWithIdMissing } from "../errors.ts";
import { templateBody } from "../template-source.ts";
import { findChangeSet } from "./change-sets.ts";

/** The operations on templates. */
export function templateOperations(cloudformation: CloudFormation): Readonly<Record<string, AnyOperation>> {
  const access = accessRules(cloudformation);
  return {
    GetTemplate: operation<GetTemplateInput, GetTemplateOutput>({
      access: ({ StackName }, call) => [access.on("GetTemplate", StackName, call)],
      run: (input, call) => ({ TemplateBody: bodyOf(cloudformation, input, call), StagesAvailable: ["Original", "Processed"] }),
    }),
    GetTemplateSummary: operation<GetTemplateSummaryInput, GetTemplateSummaryOutput>({
      access: ({ StackName }, call) => [access.on("GetTemplateSummary", StackName, call)],
      async run(input, call) {
        if (input.StackSetName !== undefined) throw notAvailable("StackSetName");
        const body =
          input.StackName === undefined ? await templateBody(cloudformation.core, input, call) : bodyOf(cloudformation, input, call);
        return summary(parsed(body));
      },
    }),
    ValidateTemplate: operation<ValidateTemplateInput, ValidateTemplateOutput>({
      access: () => [{ action: "cloudformation:ValidateTemplate", resource: "*" }],
      run: async (input, call) => validation(parsed(await templateBody(cloudformation.core, input, call))),
    }),
  };
}

function bodyOf(
  cloudformation: CloudFormation,
  input: { readonly StackName?: string | undefined; readonly ChangeSetName?: string | undefined },
  call: Call,
): string {
  const digest =
    input.ChangeSetName === undefined
      ? cloudformation.described(call, input.StackName).deployment.template
      : changeSetTemplate(cloudformation, input, call);
  // A stack in review has no template of its own yet.
  return digest === "" ? "{}" : cloudformation.store.templates.body(digest);
}

function changeSetTemplate(
  cloudformation: CloudFormation,
  input: { readonly StackName?: string | undefined; readonly ChangeSetName?: string | undefined },
  call: Call,
): string {
  if (input.StackName !== undefined && !cloudformation.find(call, input.StackName)) throw stackWithIdMissing(input.StackName);
  const found = findChangeSet(cloudformation, input, call);
  if (!found) throw changeSetMissing(input.ChangeSetName ?? "");
  return found.deployment.template;
}

/** Reads a template and checks all that needs no parameters: names that are referred to, and that nothing needs itself. */
function parsed(body: string | undefined): Template {
  if (body === undefined) throw validationError("Either Template URL or Template Body must be specified.");
  const template = parseTemplate(body);
  checkDeclared(template);
  const resources = Object.entries(template.resources);
  inOrder(
    new Map(
      resources.map(([id, { Properties = {}, DependsOn = [] }]) => {
        const used = [...references(Properties)].map(({ name }) => name);
        return [id, [...used, ...[DependsOn].flat()].filter((name) => name in template.resources)];
      }),
    ),
  );
  return template;
}

function capabilitiesOf(template: Template): { Capabilities?: Capability[]; CapabilitiesReason?: string } {
  const required = requiredCapabilities(template);
  if (!required || isAcknowledged(required, [])) return {};
  return {
    Capabilities: [required.capability],
    CapabilitiesReason: `The following resource(s) require capabilities: [${required.types.join(", ")}]`,
  };
}

const described = (template: Template) => ({
  ...(template.description !== undefined && { Description: template.description }),
  ...capabilitiesOf(template),
  DeclaredTransforms: [...template.transforms],
});

const echo = (value: unknown): boolean => value === true || value === "true";

const validation = (template: Template): ValidateTemplateOutput => ({
  ...described(template),
  Parameters: Object.entries(template.parameters).map(([ParameterKey, { Default, NoEcho, Description }]) => ({
    ParameterKey,
    NoEcho: echo(NoEcho),
    ...(Default !== undefined && { DefaultValue: String(Default) }),
    ...(Description !== undefined && { Description }),
  })),
});

const summary = (template: Template): GetTemplateSummaryOutput => ({
  ...described(template),
  Version: "2010-09-09",
  ResourceTypes: [...new Set(Object.values(template.resources).map(({ Type }) => Type))],
  ...(template.metadata !== undefined && { Metadata: JSON.stringify(template.metadata) }),
  Parameters: Object.entries(template.parameters).map(([ParameterKey, { Type, Default, NoEcho, Description, AllowedValues }]) => ({
    ParameterKey,
    ParameterType: Type,
    NoEcho: echo(NoEcho),
    ...(Default !== undefined && { DefaultValue: String(Default) }),
    ...(Description !== undefined && { Description }),
    ParameterConstraints: { ...(AllowedValues && { AllowedValues: AllowedValues.map(String) }) },
  })),
});
