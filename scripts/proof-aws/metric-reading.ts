// CloudWatch's metrics, by AWS's command line.

import * as z from "zod";
import type { AwsCommand } from "./aws-command.ts";
import type { World } from "./world.ts";

const listSchema = z.object({
  Metrics: z.array(
    z.object({ Dimensions: z.array(z.object({ Name: z.string(), Value: z.string() })) }),
  ),
});

/** Each by its dimensions, `Name=Value`. */
export async function metrics(
  aws: AwsCommand,
  namespace: string,
): Promise<readonly (readonly string[])[]> {
  const answer = await aws("cloudwatch list-metrics", { namespace });
  return listSchema
    .parse(answer)
    .Metrics.map(({ Dimensions }) => Dimensions.map(({ Name, Value }) => `${Name}=${Value}`));
}

const sumsSchema = z.object({ Datapoints: z.array(z.object({ Sum: z.number() })) });

/** Calls of one of our functions within half an hour. */
export async function invocations(
  { aws, environment, now }: Pick<World, "aws" | "environment" | "now">,
  name: string,
): Promise<number> {
  const at = (moment: number) => new Date(moment).toISOString();
  const answer = await aws("cloudwatch get-metric-statistics", {
    namespace: "AWS/Lambda",
    "metric-name": "Invocations",
    statistics: "Sum",
    period: "1800",
    "start-time": at(now() - 30 * 60_000),
    "end-time": at(now()),
    dimensions: `Name=FunctionName,Value=${environment.BURST_NAME_PREFIX}-${name}`,
  });
  return sumsSchema.parse(answer).Datapoints.reduce((sum, { Sum }) => sum + Sum, 0);
}
