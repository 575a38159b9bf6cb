// Pure: what a dotenv report says, by GitLab's rules: `KEY=value` lines, few of them, and nothing
// else, neither blank lines nor comments; quotes are a part of the value.

export type Dotenv =
  | { readonly kind: "variables"; readonly variables: ReadonlyMap<string, string> }
  | { readonly kind: "invalid"; readonly message: string };

const maxVariables = 20;
const maxKeyLength = 255;

/** The uploaded file, compressed as it is, must be smaller than this. */
export const dotenvSizeLimit = 5 * 1024;

export function parseDotenv(text: string): Dotenv {
  const variables = new Map<string, string>();
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    const equals = line.indexOf("=");
    if (equals === -1) return invalid("Invalid Format");
    const key = line.slice(0, equals).trim();
    if (!/^\w+$/.test(key)) {
      return invalid("Validation failed: Key can contain only letters, digits and '_'.");
    }
    if (key.length > maxKeyLength) {
      return invalid("Validation failed: Key is too long (maximum is 255 characters)");
    }
    variables.set(key, line.slice(equals + 1).trim());
  }
  return variables.size > maxVariables
    ? invalid(`Dotenv files cannot have more than ${String(maxVariables)} variables`)
    : { kind: "variables", variables };
}

function invalid(message: string): Dotenv {
  return { kind: "invalid", message };
}
