/** Output for programs. Called by the commands that have `--json`. */

/** Two spaces, a line break at the end; a bigint as text, since JSON has none. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(
    value,
    (_key, one: unknown) => (typeof one === 'bigint' ? String(one) : one),
    2,
  )
  process.stdout.write(`${text}\n`)
}
