/** What a release tells while it works; the CLI and the console render it. */
export type ReleaseEvent =
  | { readonly type: "step.started"; readonly step: string; readonly detail?: string }
  | { readonly type: "step.done"; readonly step: string; readonly seconds: number; readonly detail?: string }
  | {
      readonly type: "image.staged";
      readonly image: string;
      readonly target: string;
      readonly status: string;
      readonly digest?: string;
      readonly reason?: string;
    }
  | { readonly type: "data.staged"; readonly path: string; readonly uri: string; readonly bytes: number; readonly uploaded: boolean }
  | { readonly type: "workflow.created"; readonly workflowId: string; readonly name: string }
  | { readonly type: "version.created"; readonly workflowId: string; readonly version: string; readonly isNew: boolean }
  | { readonly type: "version.active"; readonly workflowId: string; readonly version: string; readonly message?: string }
  | { readonly type: "note"; readonly text: string };

export type Emit = (event: ReleaseEvent) => void;

/** One line for a log. No default: an event that nobody renders does not compile. */
export function describeEvent(event: ReleaseEvent): string {
  switch (event.type) {
    case "step.started":
      return `→ ${event.step}${event.detail ? ` (${event.detail})` : ""}`;
    case "step.done":
      return `✓ ${event.step} ${event.seconds.toFixed(1)} s${event.detail ? `: ${event.detail}` : ""}`;
    case "image.staged":
      return `  ${event.status.padEnd(9)} ${event.image} → ${event.target}${event.digest ? `@${event.digest}` : ""}${event.reason ? ` (${event.reason})` : ""}`;
    case "data.staged":
      return `  ${event.uploaded ? "uploaded" : "is there"} ${event.path} → ${event.uri} (${event.bytes} bytes)`;
    case "workflow.created":
      return `  created workflow ${event.workflowId} (${event.name})`;
    case "version.created":
      return `  ${event.isNew ? "created" : "found"} version ${event.version} of workflow ${event.workflowId}`;
    case "version.active":
      return `  version ${event.version} is ACTIVE${event.message ? `: ${event.message}` : ""}`;
    case "note":
      return `  ${event.text}`;
  }
}
