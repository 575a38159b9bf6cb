// What was found, as the page that is kept and the lines that are printed.

import type { Finding } from "./belief.ts";
import type { UnprovenLine } from "./unproven.ts";

export interface Found {
  readonly name: string;
  readonly finding: Finding;
}

export interface ProofPlace {
  readonly date: string;
  readonly region: string;
  readonly version: string;
}

export function printedLine({ name, finding }: Found): string {
  return `${finding.kind.padEnd(7)} ${name}: ${oneLine(finding.seen)}`;
}

export function summary(found: readonly Found[]): string {
  const count = (kind: Finding["kind"]) =>
    found.filter(({ finding }) => finding.kind === kind).length;
  return `${count("held")} held, ${count("wrong")} wrong, ${count("unclear")} unclear`;
}

/** The account's number is not on it: the page is to be shown around. */
export function proofPage(
  place: ProofPlace,
  found: readonly Found[],
  lines: readonly UnprovenLine[],
): string {
  const beliefs = new Map(lines.map(({ name, belief }) => [name, belief]));
  const rows = found.map(
    ({ name, finding }) =>
      `| \`${name}\` | ${beliefs.get(name) ?? ""} | ${finding.kind} | ${cell(finding.seen)} |`,
  );
  return [
    `# Seen on AWS, ${place.date}`,
    "",
    `gitlab-burst ${place.version}, ${place.region}: ${summary(found)}.`,
    "",
    "| Name | Belief | | Seen |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 600 ? `${line.slice(0, 600)}…` : line;
}

function cell(text: string): string {
  return oneLine(text)
    .replaceAll(/\b\d{12}\b/g, "<account>")
    .replaceAll("|", "\\|");
}
