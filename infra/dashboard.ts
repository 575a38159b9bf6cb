// One page that shows how the jobs do. It refers to metrics and logs that are there anyway.

import { Duration } from "aws-cdk-lib";
import {
  Dashboard,
  GraphWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  Metric,
  PeriodOverride,
} from "aws-cdk-lib/aws-cloudwatch";
import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { burstMetric } from "./burst-metrics.ts";
import type { MetricName } from "./burst-metrics.ts";
import type { ControlPlane } from "./control-plane.ts";

export interface BurstDashboardProps {
  readonly environment: string;
  readonly namePrefix: string;
  readonly controlPlane: ControlPlane;
}

const period = Duration.minutes(5);

export class BurstDashboard extends Construct {
  constructor(scope: Construct, id: string, props: BurstDashboardProps) {
    super(scope, id);
    const { environment, namePrefix, controlPlane } = props;
    const read = (name: MetricName, statistic: string, label: string) =>
      burstMetric(environment, name, { statistic, period, label });
    const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12 });
    const { poller, launcher, reaper, sweeper } = controlPlane.functions;
    const all = [poller, launcher, reaper, sweeper];
    const logGroupNames = all.map(({ logGroup }) => logGroup.logGroupName);
    const table = (title: string, queryLines: string[]) =>
      new LogQueryWidget({
        title,
        logGroupNames,
        queryLines,
        view: LogQueryVisualizationType.TABLE,
        width: 12,
      });
    new Dashboard(this, "Dashboard", {
      dashboardName: namePrefix,
      periodOverride: PeriodOverride.INHERIT,
      widgets: [
        [
          graph("Jobs by state", [
            read("ClaimedJobs", "Sum", "claimed"),
            read("LaunchedTasks", "Sum", "launched"),
            read("FinishedJobs", "Sum", "finished"),
            read("FailedJobs", "Sum", "failed"),
          ]),
          graph("Open jobs and their vCPU", [
            read("OpenClaims", "Maximum", "jobs"),
            read("RunningVcpu", "Maximum", "vCPU"),
          ]),
        ],
        [
          graph("Claimed to launched, seconds", [
            read("QueueSeconds", "p50", "p50"),
            read("QueueSeconds", "p95", "p95"),
          ]),
          graph("Launched to started, seconds", [
            read("StartSeconds", "p50", "p50"),
            read("StartSeconds", "p95", "p95"),
          ]),
        ],
        [
          table("Failed jobs by reason", [
            "filter ispresent(reason)",
            "stats count(*) as jobs by reason",
            "sort jobs desc",
          ]),
          table("Latest errors", [
            // What Lambda itself says of a function that died has no level.
            'filter level in ["ERROR", "WARN"] or @message like /Task timed out|Runtime\\.|Invoke Error|out of memory/',
            "fields @timestamp, coalesce(message, @message) as what, claim, reason",
            "sort @timestamp desc",
            "limit 20",
          ]),
        ],
        [
          graph("vCPU of the whole account on Fargate", [
            accountVcpu("Standard/OnDemand", "on-demand"),
            accountVcpu("Standard/Spot", "Spot"),
          ]),
          graph("Throttles and failures", [
            ...all.map(({ function: of }) => of.metricThrottles({ statistic: "Sum", period })),
            read("LaunchFailures", "Sum", "launches"),
            read("TokenRefused", "Sum", "tokens refused"),
          ]),
        ],
      ],
    });
  }
}

/** What the quota is held against. */
function accountVcpu(kind: string, label: string): Metric {
  return new Metric({
    namespace: "AWS/Usage",
    metricName: "ResourceCount",
    dimensionsMap: { Service: "Fargate", Type: "Resource", Resource: "vCPU", Class: kind },
    statistic: "Maximum",
    period,
    label,
  });
}
