// The functions' own metrics, as alarms and dashboard read them: by environment, nothing finer.

import type { Duration } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";

/** As lambdas/metrics.ts writes them. */
export type MetricName =
  | "ClaimedJobs"
  | "LaunchedTasks"
  | "LaunchFailures"
  | "FinishedJobs"
  | "FailedJobs"
  | "StartSeconds"
  | "QueueSeconds"
  | "OpenClaims"
  | "RunningVcpu"
  | "TokenRefused";

export interface MetricReading {
  readonly statistic: string;
  readonly period: Duration;
  readonly label?: string;
}

export function burstMetric(
  environment: string,
  metricName: MetricName,
  { statistic, period, label }: MetricReading,
): Metric {
  return new Metric({
    namespace: "GitLabBurst",
    metricName,
    dimensionsMap: { Environment: environment },
    statistic,
    period,
    ...(label !== undefined && { label }),
  });
}
