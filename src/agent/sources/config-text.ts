// Text of git configuration files, written in one go instead of by one `git config` process per value.

/** The name as `git config` takes it (`http.https://gitlab.example.com.sslCAInfo`), and the value. */
export type GitSetting = readonly [name: string, value: string];

/** Settings keep their order: for lists it matters (an empty value empties the list so far). */
export function configText(settings: readonly GitSetting[]): string {
  return settings
    .map(([name, value]) => {
      const first = name.indexOf(".");
      const last = name.lastIndexOf(".");
      const section = name.slice(0, first);
      const subsection = first === last ? "" : ` ${subsectionText(name.slice(first + 1, last))}`;
      return `[${section}${subsection}]\n\t${name.slice(last + 1)} = ${valueText(value)}\n`;
    })
    .join("");
}

function subsectionText(text: string): string {
  return `"${text.replaceAll(/[\n\0]/g, "").replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

function valueText(text: string): string {
  const escaped = text
    .replaceAll("\0", "")
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll("\n", String.raw`\n`)
    .replaceAll("\t", String.raw`\t`);
  return `"${escaped}"`;
}
