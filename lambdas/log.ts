// The functions' log: one JSON line for each event, by Powertools' logger. What could be a secret is never handed to
// it: Secret prints itself masked, and the fields are texts and numbers by type.

import { Logger } from "@aws-lambda-powertools/logger";
import type { EventFields, EventLog } from "../src/flow/event-log.ts";

export function createEventLog(options: {
  readonly environment: string;
  readonly function: string;
}): EventLog {
  const logger = new Logger({
    serviceName: "gitlab-burst",
    persistentKeys: { environment: options.environment, function: options.function },
  });
  const known = (fields: EventFields = {}) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return {
    info: (message, fields) => logger.info(message, known(fields)),
    warn: (message, fields) => logger.warn(message, known(fields)),
    error: (message, fields, cause) =>
      logger.error(message, {
        ...known(fields),
        ...(cause === undefined ? {} : { error: shown(cause) }),
      }),
  };
}

/** Only what our own text is: an SDK's error carries its whole request, and so perhaps a body. */
function shown(cause: unknown): { name: string; message: string; stack: string } {
  if (!(cause instanceof Error)) return { name: "unknown", message: String(cause), stack: "" };
  return { name: cause.name, message: cause.message, stack: cause.stack ?? "" };
}
