// How long the SDK's clients wait for AWS. Of themselves they wait for ever; and a connection that Lambda has frozen
// with its process may be dead when it thaws, without anybody saying so. What was given up is asked again by the client.

export interface Patience {
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly throwOnRequestTimeout: true;
  readonly socketTimeout: number;
}

const connectionSeconds = 5;

/** Until an answer begins, and from one piece of it to the next. For `requestHandler` of any client. */
export function patience(seconds: number): Patience {
  const milliseconds = seconds * 1000;
  return {
    connectionTimeout: connectionSeconds * 1000,
    requestTimeout: milliseconds,
    // Otherwise it is only said.
    throwOnRequestTimeout: true,
    socketTimeout: milliseconds,
  };
}
