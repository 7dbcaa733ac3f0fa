/**
 * What a site takes from its environment: held against a schema once, when the module that declares it is loaded, and
 * read typed from then on. Called by sites; `commands/env-file.ts` has put the site's `.env` into the environment.
 */
import { inspect } from 'node:util'
import type * as z from 'zod'
import { createError } from '../core/errors.ts'

/** Frozen. Printed, logged or made JSON it shows names alone. */
export type Settings<S extends z.ZodObject> = Readonly<z.output<S>>

/**
 * Reads the environment's variables with the names of `schema`; one that is empty counts as not set. Throws
 * UWAS_ERR_WAS_SETTINGS with all that are missing or do not fit, by name and never by value: nothing starts then.
 *
 *     export const settings = defineSettings(z.object({ STRIPE_KEY: z.string(), WORKERS: z.coerce.number().default(4) }))
 *
 * Everything in an environment is text: numbers are `z.coerce.number()`, truth values `z.stringbool()`.
 */
export function defineSettings<S extends z.ZodObject>(schema: S): Settings<S> {
  const given = readNamed(Object.keys(schema.shape))
  const parsed = schema.safeParse(given)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `\n  - ${tell(issue, given)}`)
    throw createError('UWAS_ERR_WAS_SETTINGS', { problems: [...new Set(problems)].join('') })
  }
  return Object.freeze(hide(parsed.data)) as Settings<S>
}

/** A plain object has names that every object has; the environment may have them, too. */
function readNamed(names: readonly string[]): Record<string, string> {
  const given: Record<string, string> = Object.create(null)
  for (const name of names) {
    const value = Object.hasOwn(process.env, name) ? process.env[name] : undefined
    if (value !== undefined && value !== '') given[name] = value
  }
  return given
}

/** What stands there is never told: it may be a secret that was set under the wrong name. */
function tell(issue: z.core.$ZodIssue, given: Readonly<Record<string, string>>): string {
  const name = issue.path[0]
  if (name === undefined) return withoutValues(issue.message, 'they do not fit together', given)
  const value = given[String(name)]
  if (value === undefined) return `${String(name)} is not set`
  return `${String(name)} does not fit: ${wordsOf(issue, given)}`
}

function wordsOf(issue: z.core.$ZodIssue, given: Readonly<Record<string, string>>): string {
  if (issue.code === 'invalid_type') return `it has to be of type ${issue.expected}`
  return withoutValues(issue.message, 'see its schema', given)
}

/** A schema's own message may quote what it was given. */
function withoutValues(
  message: string,
  instead: string,
  given: Readonly<Record<string, string>>,
): string {
  const quotes = Object.values(given).some((value) => message.includes(value))
  return quotes ? instead : message
}

/** Secrets get into logs by the object that holds them. */
function hide<T extends object>(settings: T): T {
  const names = Object.keys(settings)
  const shown = () => `settings { ${names.join(', ')} }`
  return Object.defineProperties(settings, {
    [inspect.custom]: { value: shown },
    toJSON: { value: () => Object.fromEntries(names.map((name) => [name, '(hidden)'])) },
  })
}
