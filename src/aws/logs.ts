// CloudWatch Logs in our words: the copies of jobs' logs, read back.

import {
  ResourceNotFoundException,
  paginateDescribeLogStreams,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";

export interface LogStream {
  /** `<runner>/<container>/<task id>` */
  readonly name: string;
  /** Milliseconds since the epoch. CloudWatch takes its time with it, up to an hour. */
  readonly lastEventAt: number | undefined;
  readonly createdAt: number;
}

export interface LogLine {
  readonly at: number;
  readonly text: string;
}

export interface LogPart {
  readonly lines: readonly LogLine[];
  /** Where to go on; the same as given: nothing more has come. */
  readonly next: string | undefined;
}

export interface Logs {
  /** All whose names begin so, the youngest first. None where there is no such group. */
  streams(prefix: string): Promise<readonly LogStream[]>;
  /** From the beginning, or from where the last part ended. Empty where there is no such stream yet. */
  read(stream: string, from?: string): Promise<LogPart>;
}

export function createLogs(client: CloudWatchLogsClient, group: string): Logs {
  return {
    streams: async (prefix) => {
      const all: LogStream[] = [];
      const pages = paginateDescribeLogStreams(
        { client },
        { logGroupName: group, ...(prefix === "" ? {} : { logStreamNamePrefix: prefix }) },
      );
      try {
        for await (const { logStreams = [] } of pages) {
          for (const { logStreamName, lastEventTimestamp, creationTime } of logStreams) {
            if (logStreamName === undefined) continue;
            const createdAt = creationTime ?? 0;
            all.push({ name: logStreamName, lastEventAt: lastEventTimestamp, createdAt });
          }
        }
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      }
      return all.toSorted((left, right) => right.createdAt - left.createdAt);
    },
    read: async (stream, from) => {
      try {
        const answer = await client.send(
          new GetLogEventsCommand({
            logGroupName: group,
            logStreamName: stream,
            startFromHead: true,
            ...(from === undefined ? {} : { nextToken: from }),
          }),
        );
        const lines = (answer.events ?? []).map(({ timestamp = 0, message = "" }) => ({
          at: timestamp,
          text: message,
        }));
        return { lines, next: answer.nextForwardToken };
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return { lines: [], next: from };
        throw error;
      }
    },
  };
}
