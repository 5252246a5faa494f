/** The account and region of a resource. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

const arn = ({ account, region }: Place, resource: string): string => `arn:aws:omics:${region}:${account}:${resource}`;

export const workflowArn = (place: Place, id: string): string => arn(place, `workflow/${id}`);
export const versionArn = (place: Place, workflowId: string, name: string): string => arn(place, `workflow/${workflowId}/version/${name}`);
export const runArn = (place: Place, id: string): string => arn(place, `run/${id}`);
/** Flat: a task's ARN does not name its run. */
export const taskArn = (place: Place, id: string): string => arn(place, `task/${id}`);
export const runGroupArn = (place: Place, id: string): string => arn(place, `runGroup/${id}`);
/** Actions that know no resource are asked with it. */
export const anyArn = "*";
export const resourceArn = arn;
