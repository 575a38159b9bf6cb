// The environment that the process executor's children start from: the user's own, as a shell
// executor's users expect (PATH, HOME, JAVA_HOME, …), without what belongs to the runner itself.

const runnersOwn =
  /^(CI_SERVER_TOKEN|REGISTRATION_TOKEN|NODE_OPTIONS|INIT_CWD|BURST_.*|npm_.*|VITEST.*|NODE_CHANNEL_.*)$/;

/** `environment` less the runner's tokens and settings, and less any variable that holds one of `secrets`. */
export function jobEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  secrets: readonly string[],
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || runnersOwn.test(name)) continue;
    if (secrets.some((secret) => secret !== "" && value.includes(secret))) continue;
    kept[name] = value;
  }
  return kept;
}
