// Texts that AWS takes: each kind has characters and a length of its own, and what does not fit is replaced, so that
// no branch's or job's name can keep a task from being started.

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** The most tags that a task takes. */
const mostTags = 50;

/**
 * Labels as tags of a task: letters and digits of any script, blanks and `_ . : / = + - @`. Keys that AWS keeps for
 * itself (`aws:…`) and those that only differ in what was replaced are left out; the first wins.
 */
export function safeTags(labels: Readonly<Record<string, string>>): readonly Tag[] {
  const tags = new Map<string, string>();
  for (const [name, text] of Object.entries(labels)) {
    const key = cut(tagText(name), 128).trim();
    if (key === "" || /^aws:/i.test(key) || tags.has(key)) continue;
    tags.set(key, cut(tagText(text), 256).trim());
  }
  return [...tags].slice(0, mostTags).map(([key, value]) => ({ key, value }));
}

function tagText(text: string): string {
  return text
    .normalize("NFC")
    .replaceAll(/\s+/gu, " ")
    .replaceAll(/[^\p{L}\p{N} _.:/=+\-@]/gu, "_");
}

/** Never in the middle of a character. */
function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/** Names of families, containers and secrets: letters, digits, - and _, 255 at most. */
export function safeName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(0, 255);
}

/** ECS's `startedBy`: letters, digits, - / _, 128 at most. */
export function safeStartedBy(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9/_-]/g, "-").slice(0, 128);
}

/** ECS's `clientToken`: 64 visible characters of ASCII at most. */
export function safeClientToken(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, "-").slice(0, 64);
}
