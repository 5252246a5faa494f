import type {
  BatchGetProjectsInput,
  BatchGetProjectsOutput,
  CreateProjectInput,
  CreateProjectOutput,
  DeleteProjectInput,
  DeleteProjectOutput,
  ListProjectsInput,
  ListProjectsOutput,
  Project as SdkProject,
  UpdateProjectInput,
  UpdateProjectOutput,
} from "@aws-sdk/client-codebuild";
import { type Call, type Core, operation } from "../gateway/service.ts";
import { invalidInput, projectExists, projectNotFound } from "./errors.ts";
import type { Project, Store } from "./store.ts";

export const projectArn = ({ region, account }: Pick<Call, "region" | "account">, name: string): string =>
  `arn:aws:codebuild:${region}:${account}:project/${name}`;

function passRole(role: string | undefined, call: Call) {
  if (role === undefined) return [];
  const resource = role.startsWith("arn:") ? role : `arn:aws:iam::${call.account}:role/${role}`;
  return [{ action: "iam:PassRole", resource, context: { "iam:PassedToService": "codebuild.amazonaws.com" } }];
}

const keyOf = (call: Call, name: string | undefined) => [call.account, call.region, name ?? ""];

/** CreateProject, UpdateProject, DeleteProject, BatchGetProjects, ListProjects. */
export function projectOperations(core: Core, store: Store) {
  return { ...writingOperations(core, store), ...readingOperations(store) };
}

const on = (action: string, call: Call, name: string | undefined) => ({
  action: `codebuild:${action}`,
  resource: projectArn(call, name ?? ""),
});

function writingOperations(core: Core, store: Store) {
  return {
    CreateProject: operation<CreateProjectInput, CreateProjectOutput>({
      access: (input, call) => [on("CreateProject", call, input.name), ...passRole(input.serviceRole, call)],
      run: (input, call) => ({ project: describe(create(core, store, input, call)) }),
    }),
    UpdateProject: operation<UpdateProjectInput, UpdateProjectOutput>({
      access: (input, call) => [on("UpdateProject", call, input.name), ...passRole(input.serviceRole, call)],
      run: (input, call) => ({ project: describe(update(core, store, input, call)) }),
    }),
    DeleteProject: operation<DeleteProjectInput, DeleteProjectOutput>({
      access: (input, call) => [on("DeleteProject", call, input.name)],
      run(input, call) {
        store.projects.delete(keyOf(call, input.name));
        return {};
      },
    }),
  };
}

function readingOperations(store: Store) {
  return {
    BatchGetProjects: operation<BatchGetProjectsInput, BatchGetProjectsOutput>({
      access: (input, call) => (input.names ?? []).map((name) => on("BatchGetProjects", call, nameOf(name))),
      run(input, call) {
        const found = (input.names ?? []).map((name) => [name, store.projects.get(keyOf(call, nameOf(name)))] as const);
        return {
          projects: found.flatMap(([, project]) => (project ? [describe(project)] : [])),
          projectsNotFound: found.filter(([, project]) => !project).map(([name]) => name),
        };
      },
    }),
    ListProjects: operation<ListProjectsInput, ListProjectsOutput>({
      access: () => [{ action: "codebuild:ListProjects", resource: "*" }],
      run: (_input, call) => ({ projects: store.projects.list([call.account, call.region]).map((entry) => entry.value.name) }),
    }),
  };
}

function create(core: Core, store: Store, input: CreateProjectInput, call: Call): Project {
  const name = input.name ?? "";
  if (!/^[A-Za-z0-9][A-Za-z0-9\-_]{1,254}$/.test(name)) throw invalidInput(`Invalid project name: ${name}`);
  const now = core.clock.now().toISOString();
  const project = {
    ...input,
    name,
    arn: projectArn(call, name),
    timeoutInMinutes: input.timeoutInMinutes ?? 60,
    created: now,
    lastModified: now,
  } as unknown as Project;
  if (!store.projects.insert(keyOf(call, name), project)) throw projectExists(name);
  return project;
}

function update(core: Core, store: Store, input: UpdateProjectInput, call: Call): Project {
  const before = store.projects.get(keyOf(call, input.name));
  if (!before) throw projectNotFound(input.name ?? "");
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const project = { ...before, ...given, lastModified: core.clock.now().toISOString() } as Project;
  store.projects.put(keyOf(call, input.name), project);
  return project;
}

/** A project may be named by its ARN. */
const nameOf = (text: string): string => text.split(":project/").at(-1) ?? text;

const describe = (project: Project): SdkProject =>
  ({ ...project, created: new Date(project.created), lastModified: new Date(project.lastModified) }) as unknown as SdkProject;
