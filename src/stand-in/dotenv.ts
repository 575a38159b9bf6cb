// Pure: what a dotenv report says, by GitLab's rules: `KEY=value` lines, few and small.

export type Dotenv =
  | { readonly kind: "variables"; readonly variables: ReadonlyMap<string, string> }
  | { readonly kind: "invalid"; readonly message: string };

const maxBytes = 5 * 1024;
const maxVariables = 20;

export function parseDotenv(bytes: Buffer): Dotenv {
  if (bytes.length > maxBytes) {
    return invalid(`Dotenv Artifact Too Big. Maximum Allowable Size: ${String(maxBytes)}`);
  }
  const variables = new Map<string, string>();
  for (const line of bytes.toString("utf8").split("\n")) {
    if (line.trim() === "") continue;
    const matched = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$/.exec(line);
    const [, key, value] = matched ?? [];
    if (key === undefined || value === undefined) return invalid("Invalid Format");
    variables.set(key, unquote(value));
  }
  if (variables.size > maxVariables) {
    return invalid(`Dotenv files cannot have more than ${String(maxVariables)} variables`);
  }
  return { kind: "variables", variables };
}

function unquote(value: string): string {
  return (
    /^"(.*)"$|^'(.*)'$/
      .exec(value)
      ?.slice(1)
      .find((inner) => inner !== undefined) ?? value
  );
}

function invalid(message: string): Dotenv {
  return { kind: "invalid", message };
}
