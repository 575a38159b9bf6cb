// Docs/unproven.md, "The stack" and "Prices": what the deployed environment itself shows.

import * as z from "zod";
import { judge, unclear } from "./belief.ts";
import type { Belief } from "./belief.ts";
import { permissionBeliefs } from "./permission-beliefs.ts";
import { invocations, metrics } from "./metric-reading.ts";
import type { World } from "./world.ts";

export const stackBeliefs: readonly Belief[] = [
  ...permissionBeliefs,
  {
    name: "template-deploys",
    find: async (world) => {
      const { StackStatus } = await deployedStack(world);
      return judge(/^(CREATE|UPDATE)_COMPLETE$/.test(StackStatus), StackStatus);
    },
  },
  { name: "first-cluster", find: firstCluster },
  {
    name: "schedules-call",
    find: async (world) => {
      await (await world.probe("small")).end();
      await world.sleep(3 * 60_000);
      const names = ["poller", "sweeper", "reaper"] as const;
      const counts = await Promise.all(names.map((name) => invocations(world, name)));
      return judge(
        counts.every((count) => count > 0),
        names
          .map((name, index) => `${name} called ${counts[index]} times in 30 minutes`)
          .join("; "),
      );
    },
  },
  { name: "poller-memory", find: pollerMemory },
  {
    name: "metric-dimension",
    find: async ({ aws, environment }) => {
      const own = (await metrics(aws, "GitLabBurst")).filter((dimensions) =>
        dimensions.includes(`Environment=${environment.BURST_ENVIRONMENT}`),
      );
      if (own.length === 0) return unclear("no metrics yet: the poller writes some every minute");
      const odd = own.filter(({ length }) => length !== 1);
      return judge(odd.length === 0, `${own.length} metrics; ${odd.length} with more dimensions`);
    },
  },
  {
    name: "usage-classes",
    find: async ({ aws, probe }) => {
      await (await probe("spot")).end().catch(() => {});
      const classes = (await metrics(aws, "AWS/Usage"))
        .filter((dimensions) => dimensions.includes("Service=Fargate"))
        .flatMap((dimensions) => dimensions.filter((text) => text.startsWith("Class=")));
      const known = [...new Set(classes)];
      if (known.length === 0) return unclear("no usage of Fargate in CloudWatch yet");
      return judge(known.includes("Class=Standard/OnDemand"), known.join(", "));
    },
  },
  {
    name: "default-quotas",
    find: async ({ aws }) => {
      const onDemand = await defaultQuota(aws, "L-3032A538");
      const spot = await defaultQuota(aws, "L-36FBB829");
      return judge(onDemand === 6 && spot === 6, `on demand ${onDemand}, Spot ${spot}`);
    },
  },
  { name: "prices", find: prices },
  {
    name: "clock-from-pull",
    find: async ({ probe }) => {
      const { task } = await (await probe("large")).end();
      const at = (moment: number | undefined) =>
        moment === undefined ? "never" : new Date(moment).toISOString();
      return unclear(
        `only the bill shows it, a day later: task ${task.taskArn.split("/").at(-1)} pulled from ` +
          `${at(task.pullStartedAt)}, started ${at(task.startedAt)}, stopped ${at(task.stoppedAt)}`,
      );
    },
  },
];

const stackSchema = z.object({
  Stacks: z.tuple([z.object({ StackStatus: z.string(), CreationTime: z.string() })]),
});

async function deployedStack({ aws, environment }: World) {
  const name = `gitlab-burst-${environment.BURST_ENVIRONMENT}`;
  const answer = await aws("cloudformation describe-stacks", { "stack-name": name });
  return stackSchema.parse(answer).Stacks[0];
}

async function firstCluster(world: World) {
  const { CreationTime } = await deployedStack(world);
  const { Role } = z
    .object({ Role: z.object({ CreateDate: z.string() }) })
    .parse(await world.aws("iam get-role", { "role-name": "AWSServiceRoleForECS" }));
  const [stack, role] = [Date.parse(CreationTime), Date.parse(Role.CreateDate)];
  return role < stack
    ? unclear("the account had the role before this stack")
    : judge(true, "ECS made its role while the stack was made, and the stack is there");
}

async function pollerMemory({ aws, environment, now }: World) {
  const name = `/aws/lambda/${environment.BURST_NAME_PREFIX}-poller`;
  const events = async (pattern: string) => {
    const answer = await aws("logs filter-log-events", {
      "log-group-name": name,
      "filter-pattern": pattern,
      "start-time": String(now() - 24 * 3600_000),
    });
    return z.object({ events: z.array(z.object({ message: z.string() })) }).parse(answer).events;
  };
  const used = (await events('"Max Memory Used"')).map(({ message }) =>
    Number(/Max Memory Used: (\d+) MB/.exec(message)?.[1]),
  );
  if (used.length === 0) return unclear("no poller has ended yet: the first takes 15 minutes");
  const killed = await events('"Runtime.OutOfMemory"');
  return judge(
    killed.length === 0,
    `${Math.max(...used)} MB of 192 at most in ${used.length} calls of a day; out of memory: ${killed.length}`,
  );
}

async function defaultQuota(aws: World["aws"], code: string): Promise<number> {
  const answer = await aws("service-quotas get-aws-default-service-quota", {
    "service-code": "fargate",
    "quota-code": code,
  });
  return z.object({ Quota: z.object({ Value: z.number() }) }).parse(answer).Quota.Value;
}

/** A vCPU's hour on demand in us-east-1, on which the others of deploy.md hang. */
const vcpuHour = 0.040_48;

async function prices({ aws }: World) {
  const answer = await aws("pricing get-products", {
    region: "us-east-1",
    "service-code": "AmazonECS",
    filters: "Type=TERM_MATCH,Field=usagetype,Value=USE1-Fargate-vCPU-Hours:perCPU",
  });
  const { PriceList } = z.object({ PriceList: z.array(z.string()) }).parse(answer);
  const found = PriceList.flatMap((text) => /"USD":"([\d.]+)"/.exec(text)?.[1] ?? []).map(Number);
  if (found.length === 0) return unclear("the price list has no such entry");
  return judge(found.includes(vcpuHour), `a vCPU's hour costs ${found.join(", ")}`);
}
