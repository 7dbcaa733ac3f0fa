/** Runs code in the shell's scope: a whole script, or line by line. Called by `../shell.ts`. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { type REPLServer, type ReplOptions, start } from 'node:repl'
import { inspect } from 'node:util'

type Names = Readonly<Record<string, unknown>>
type Run = (...values: unknown[]) => Promise<unknown>

const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => Run

/**
 * The value of `code` where it is one expression, else undefined: a script, which prints by itself. `await`
 * stands anywhere. Rejects with what it throws, SyntaxError included.
 */
export async function runScript(code: string, names: Names): Promise<unknown> {
  return await compile(code, Object.keys(names))(...Object.values(names))
}

/** As the shell prints a value; undefined for what it does not print. */
export function shown(value: unknown, colors: boolean): string | undefined {
  if (value === undefined) return undefined
  return typeof value === 'string' ? value : inspect(value, { colors, depth: 6 })
}

/** Resolves when the user leaves. `history` is a file; lines of earlier shells are there. */
export async function runLines(
  names: Names,
  history: string,
  streams: Pick<ReplOptions, 'input' | 'output' | 'terminal'> = {},
): Promise<void> {
  const server = start({ prompt: 'uwas> ', useGlobal: true, ...streams })
  Object.assign(server.context, names)
  const left = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  mkdirSync(dirname(history), { recursive: true })
  await remember(server, history)
  await left
}

/** A history that cannot be kept is no reason not to work. */
function remember(server: REPLServer, history: string): Promise<void> {
  return new Promise((resolve) => server.setupHistory(history, () => resolve()))
}

function compile(code: string, names: readonly string[]): Run {
  try {
    return new AsyncFunction(...names, `return (\n${code}\n)`)
  } catch {
    return new AsyncFunction(...names, code)
  }
}
