// Whether a text can be a runner's token. Other tokens of GitLab look alike, and are easily taken for one.

/** What is wrong with it, as the end of a sentence; undefined where nothing is. Never shows the text. */
export function tokenMistake(token: string): string | undefined {
  if (token === "") return "expected a runner's token (glrt-…), found nothing";
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return "expected a runner's token (glrt-…), found a text with a blank, a line break or another character that tokens never have: copy it again";
  }
  if (token.startsWith("GR1348941")) {
    return "expected a runner's token (glrt-…), found a registration token: create the runner in GitLab and give the token that it shows";
  }
  const other = /^(glpat|gldt|glcbt|glptt|glft|glsoat|glagent|gloas)-/.exec(token)?.[1];
  if (other !== undefined) {
    return `expected a runner's token (glrt-…), found another kind of token (${other}-…): create the runner in GitLab and give the token that it shows`;
  }
  return undefined;
}
