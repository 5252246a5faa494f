import type { Service, ServiceFactory } from "../gateway/service.ts";
import { commitOperations } from "./commits.ts";
import { contentOperations } from "./contents.ts";
import { serveGit } from "./git-http.ts";
import { pullRequestOperations } from "./pull-requests/operations.ts";
import { repositoryOperations } from "./repositories.ts";
import { createCodeCommit } from "./repository-access.ts";
import { codecommitResources } from "./resources.ts";
import { createStore } from "./store.ts";

/** AWS CodeCommit: Git repositories over HTTP, and pull requests. */
export const codecommitService: ServiceFactory = (core): Service => {
  const store = createStore(core);
  const codecommit = createCodeCommit(core, store);
  return {
    name: "codecommit",
    wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-codecommit") },
    operations: {
      ...repositoryOperations(codecommit),
      ...contentOperations(codecommit),
      ...commitOperations(codecommit),
      ...pullRequestOperations(codecommit),
    },
    paths: [{ prefix: "/v1/repos/", handle: (request) => serveGit(codecommit, request) }],
    resources: codecommitResources,
    async recover() {
      // A kill between a push and its event: the references tell.
      for (const { value } of store.repositories.list([])) await codecommit.refsMoved(value, `arn:aws:iam::${value.account}:root`);
    },
  };
};
