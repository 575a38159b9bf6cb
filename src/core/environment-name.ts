// What an environment may be called: its name is part of others, of parameters, functions, buckets and the stack.

export const environmentNameRule = "expected 1 to 24 small letters, digits and dashes";

export function isEnvironmentName(name: unknown): name is string {
  return typeof name === "string" && /^[a-z0-9][a-z0-9-]{0,23}$/.test(name);
}
