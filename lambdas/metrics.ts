// The functions' metrics, as lines of the log that CloudWatch reads (EMF): no call, no cost per call. The
// environment is the only dimension, so that runners and projects cost nothing.

import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { metricUnits } from "../src/flow/event-log.ts";
import type { Metering } from "../src/flow/event-log.ts";

const units = { Count: MetricUnit.Count, Seconds: MetricUnit.Seconds };

export function createMetering(environment: string): Metering {
  const metrics = new Metrics({ namespace: "GitLabBurst" });
  // It brings the service's name as a dimension of its own accord.
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ Environment: environment });
  return {
    add: (name, value) => metrics.addMetric(name, units[metricUnits[name]], value),
    publish: () => metrics.publishStoredMetrics(),
  };
}
