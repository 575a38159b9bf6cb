// What an unquoted YAML scalar means to GitLab, which reads YAML 1.1 with Ruby's Psych: `yes` and `on`
// are booleans, `3.10` is the number 3.1, `0644` is octal, `y` is a string.

export type Scalar =
  | {
      readonly kind: "value";
      readonly value: string | number | boolean | null;
      /** How Ruby writes the value: the float 1.0 stays "1.0". */
      readonly text: string;
    }
  | { readonly kind: "surprise"; readonly meaning: string };

const DECIMAL = /^[-+]?(?:0|[1-9][0-9_,]*)$/;
const OCTAL = /^[-+]?0o?[0-7_]+$/;
const BINARY = /^[-+]?0b[01_]+$/;
const HEXADECIMAL = /^[-+]?0x[0-9a-fA-F_]+$/;
const FLOAT = /^[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][+-][0-9]+)?$/;
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}(?:\.[0-9_]*)?$/;
const DATE = /^[0-9]{4}-(?:1[012]|0?[0-9])-(?:3[01]|[12][0-9]|0?[0-9])(?:$|[Tt\s])/;

/** The meaning of a plain scalar; a "surprise" is one that its author cannot have wanted. */
export function plainScalar(text: string): Scalar {
  if (text === "" || text === "~" || /^null$/i.test(text))
    return { kind: "value", value: null, text: "" };
  if (/^(?:yes|true|on)$/i.test(text)) return { kind: "value", value: true, text: "true" };
  if (/^(?:no|false|off)$/i.test(text)) return { kind: "value", value: false, text: "false" };
  if (/^[-+]?\.inf$|^\.nan$/i.test(text)) return { kind: "surprise", meaning: "infinity or NaN" };
  if (/^:./.test(text)) return { kind: "surprise", meaning: "a Ruby symbol" };
  if (DATE.test(text)) return { kind: "surprise", meaning: "a date" };
  if (SEXAGESIMAL.test(text)) return { kind: "surprise", meaning: "a number to the base of 60" };
  const number = plainNumber(text);
  if (number === undefined) return { kind: "value", value: text, text };
  const point = Number.isInteger(number) && FLOAT.test(text) ? ".0" : "";
  return { kind: "value", value: number, text: `${number}${point}` };
}

function plainNumber(text: string): number | undefined {
  const digits = text.replace(/[_,]/g, "");
  const sign = digits.startsWith("-") ? -1 : 1;
  const bare = digits.replace(/^[-+]/, "");
  if (DECIMAL.test(text)) return sign * Number(bare);
  if (OCTAL.test(text)) return sign * Number.parseInt(bare.replace(/^0o?/, "") || "0", 8);
  if (BINARY.test(text)) return sign * Number.parseInt(bare.slice(2), 2);
  if (HEXADECIMAL.test(text)) return sign * Number.parseInt(bare.slice(2), 16);
  if (FLOAT.test(text) && /[0-9]/.test(text)) return sign * Number(bare);
  return undefined;
}
