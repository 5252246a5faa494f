import type { SourceTree } from "../../source-tree.ts";
import { findImages } from "../images/find-images.ts";
import { loadPipeline } from "../pipeline.ts";
import { openProject, sourceOf } from "../project.ts";

/** The container of each process by its full name, as `nextflow inspect` gives them; null where it has none. */
export function containersByName(tree: SourceTree, profile?: string): Readonly<Record<string, string | null>> {
  const project = openProject(tree, "main.nf");
  const file = sourceOf(project, "main.nf");
  if (file === undefined) throw new Error("there is no main.nf");
  const { tasks, config } = loadPipeline(project, file, profile === undefined ? {} : { profiles: [profile] });
  return Object.fromEntries(
    tasks.map((task) => {
      const [first] = findImages(task, config);
      return [task.invocation.fullName, first?.image ?? null];
    }),
  );
}
