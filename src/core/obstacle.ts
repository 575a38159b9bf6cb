// What keeps a task from being started, and whether it would keep every other task of this account from it as well.

export const obstacles = ["throttled", "no-capacity", "quota", "no-address"] as const;

export type Obstacle = (typeof obstacles)[number];

/** For logs. */
export const obstacleText: Readonly<Record<Obstacle, string>> = {
  throttled: "AWS asks for fewer starts at once",
  "no-capacity": "AWS has no room for it at the moment",
  quota: "this AWS account's quota of vCPU is used up",
  "no-address": "there is no free address in the network",
};

/**
 * Whether it is no use to ask for more jobs meanwhile. Starts are throttled for the account, the vCPU quota is the
 * account's, and all tasks share the subnets. (A Spot quota is none of it: the job goes on to on-demand.) Room for one
 * size or architecture may be short while there is plenty for others.
 */
export function meetsEveryJob(obstacle: Obstacle): boolean {
  return obstacle !== "no-capacity";
}
