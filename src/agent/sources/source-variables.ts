// The part of a job's variables that this stage reads settings from.

export interface Vars {
  get(key: string): string;
  has(key: string): boolean;
  bool(key: string, fallback: boolean): { readonly value: boolean; readonly warning?: string };
}
