// Where the job's log is to be seen on AWS: one link to the agent's own stream.

import type { TaskHandOff } from "../../core/hand-off.ts";

export function logLink(logs: TaskHandOff["logs"], container: string, taskArn: string): string {
  const { region, group, streamPrefix } = logs;
  const stream = [streamPrefix, container, taskArn.split("/").at(-1)].join("/");
  return (
    `https://${region}.${consoleOf(region)}/cloudwatch/home?region=${region}` +
    `#logsV2:log-groups/log-group/${twice(group)}/log-events/${twice(stream)}`
  );
}

function consoleOf(region: string): string {
  if (region.startsWith("cn-")) return "console.amazonaws.cn";
  return region.startsWith("us-gov-") ? "console.amazonaws-us-gov.com" : "console.aws.amazon.com";
}

/** The console decodes it twice, and wants `$` for the percent sign. */
function twice(text: string): string {
  return encodeURIComponent(encodeURIComponent(text)).replaceAll("%", "$");
}
