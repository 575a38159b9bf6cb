// A build's log as it might be: lines of 60 to 120 bytes, the same in every run; and secrets to look for in it.

const random = lehmer(20260117);

export const secrets: readonly string[] = Array.from({ length: 50 }, () =>
  word(8 + Math.floor(random() * 33)),
);

/** At least `bytes` of whole lines. */
export function logText(
  bytes: number,
  decorate: (line: string, number: number) => string = (line) => line,
): Uint8Array {
  const words = (
    "compiling linking src/core/main.ts warning: unused variable [12/345] node_modules/.cache/foo " +
    "0.123s https://registry.example.com/pkg?arch=amd64&os=linux GET 200 error TS2345: argument of " +
    "type #17 sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 ok global-lib"
  ).split(" ");
  const lines: string[] = [];
  for (let size = 0; size < bytes; size += (lines.at(-1)?.length ?? 0) + 1) {
    const length = 60 + random() * 60;
    let line = "";
    while (line.length < length) line += `${words[Math.floor(random() * words.length)]} `;
    lines.push(decorate(line, lines.length));
  }
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

/** The secret that a line with this number has. */
export function secretOf(number: number): string {
  return secrets[number % secrets.length] ?? "";
}

function word(length: number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join("");
}

/** Numbers in [0, 1), the same in every run. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
