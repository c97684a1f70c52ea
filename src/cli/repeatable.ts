// A flag that may be given several times (`--filter a=1 --filter b=2`), as commander reads it.

/** What commander calls with each value of the flag, and with those before it. */
export function repeatable(value: string, before: string[] = []): string[] {
  return [...before, value]
}
