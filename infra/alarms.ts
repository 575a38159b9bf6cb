// Six alarms, for what somebody has to look at: jobs fail for many reasons that are nobody's but their own.

import { Duration, Stack, Validations } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  MathExpression,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import { burstMetric } from "./burst-metrics.ts";
import type { ControlPlane } from "./control-plane.ts";

export interface AlarmsProps {
  readonly environment: string;
  readonly namePrefix: string;
  readonly controlPlane: ControlPlane;
  readonly address: string | undefined;
}

interface Rule {
  readonly description: string;
  readonly metric: IMetric;
  readonly threshold: number;
  readonly below?: true;
  readonly periods?: number;
}

export class Alarms extends Construct {
  readonly all: readonly Alarm[];
  /** undefined without an address. */
  readonly topic: Topic | undefined;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    this.topic = props.address === undefined ? undefined : this.makeTopic(props.address);
    this.all = Object.entries(rules(props)).map(([name, rule]) =>
      this.makeAlarm(name, props.namePrefix, rule),
    );
  }

  private makeAlarm(name: string, prefix: string, rule: Rule): Alarm {
    const { below = false, periods = 1 } = rule;
    const alarm = new Alarm(this, name, {
      alarmName: `${prefix}-${name.replaceAll(/(?<=[a-z])[A-Z]/g, "-$&").toLowerCase()}`,
      alarmDescription: rule.description,
      metric: rule.metric,
      threshold: rule.threshold,
      evaluationPeriods: periods,
      comparisonOperator: below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: below ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    if (this.topic !== undefined) alarm.addAlarmAction(new SnsAction(this.topic));
    return alarm;
  }

  private makeTopic(address: string): Topic {
    const topic = new Topic(this, "Topic", { enforceSSL: true });
    // A policy of its own takes the place of the one that would let CloudWatch in.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
    );
    topic.addSubscription(new EmailSubscription(address));
    Validations.of(topic).acknowledge({
      id: "AwsSolutions-SNS2",
      reason:
        "Carries names of alarms; with the services' own key CloudWatch could not write to it.",
    });
    return topic;
  }
}

function rules({ environment, controlPlane }: AlarmsProps): Readonly<Record<string, Rule>> {
  const period = Duration.minutes(5);
  const sweeper = controlPlane.functions.sweeper.function;
  const calls = { statistic: "Sum", period };
  return {
    ClaimsLate: {
      description:
        "A job that GitLab believes to be running waits, or has waited, ten minutes for its task: no capacity, a quota, or a launcher that fails.",
      metric: burstMetric(environment, "QueueSeconds", { statistic: "Maximum", period }),
      threshold: 600,
    },
    LaunchesFailing: {
      description:
        "Three tasks or more could not be started in five minutes: see the launcher's log.",
      metric: burstMetric(environment, "LaunchFailures", { statistic: "Sum", period }),
      threshold: 3,
    },
    PollerNotSucceeding: {
      description:
        "For a quarter of an hour no poller has held the lease and seen the open claims: GitLab is not asked for jobs.",
      // Told by who polls; a call that finds another at it tells nothing.
      metric: burstMetric(environment, "OpenClaims", { statistic: "SampleCount", period }),
      threshold: 1,
      below: true,
      periods: 3,
    },
    SweeperNotSucceeding: {
      description:
        "For a quarter of an hour no call of the sweeper ended well: lost events stay lost, and long jobs lose the addresses of their caches.",
      metric: new MathExpression({
        expression: "FILL(invocations, 0) - FILL(errors, 0)",
        usingMetrics: {
          invocations: sweeper.metricInvocations(calls),
          errors: sweeper.metricErrors(calls),
        },
        period,
        label: "Calls that ended well",
      }),
      threshold: 1,
      below: true,
      periods: 3,
    },
    FailuresQueued: {
      description:
        "Events were given up after their retries. The sweeper sees to their jobs; each message says why it failed.",
      metric: controlPlane.failures.metricApproximateNumberOfMessagesVisible({
        statistic: "Maximum",
        period,
      }),
      threshold: 1,
    },
    TokenRefused: {
      description:
        "GitLab refuses a runner's token: the poller's log says which. A new one in Parameter Store is used from the next poll on.",
      metric: burstMetric(environment, "TokenRefused", { statistic: "Sum", period }),
      threshold: 1,
    },
  };
}
