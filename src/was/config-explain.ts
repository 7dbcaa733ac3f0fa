/**
 * Puts what zod found wrong with a configuration into one line each: the place, what stands there, what
 * would be right. Called by `config.ts`.
 */
import type * as z from 'zod'
import { hintNearest } from '../core/nearest.ts'
import { KNOWN_KEYS } from './config-schema.ts'

/** One line a problem. Of a union the branch is told that came furthest: the one that is meant. */
export function explain(
  issue: z.core.$ZodIssue,
  raw: unknown,
  before: PropertyKey[] = [],
): string[] {
  const place = [...before, ...issue.path]
  if (issue.code === 'invalid_union') {
    const deeper = issue.errors.find((branch) => branch.every(isAboutInside))
    if (deeper !== undefined) return deeper.flatMap((inner) => explain(inner, raw, place))
    return [`${dotted(place)} is ${show(valueAt(raw, place))}; ${whatFits(place)}`]
  }
  if (issue.code === 'unrecognized_keys') {
    const known = KNOWN_KEYS[place.filter((part) => typeof part === 'string').join('.')] ?? []
    return issue.keys.map(
      (key) => `unknown key "${dotted([...place, key])}"${hintNearest(key, known)}`,
    )
  }
  if (issue.code === 'invalid_key') {
    const [key, around] = [place.at(-1), place.slice(0, -1)]
    return issue.issues.map(
      ({ message }) => `${dotted(around)} has ${JSON.stringify(key)}, which ${message}`,
    )
  }
  if (issue.code === 'custom' || issue.code === 'invalid_format') {
    return [`${dotted(place)} ${issue.message}`]
  }
  return [`${dotted(place)} is ${show(valueAt(raw, place))}; it has to be ${expected(issue)}`]
}

/** True when a branch of a union fitted as a whole and only something in it does not. */
function isAboutInside(issue: z.core.$ZodIssue): boolean {
  return (
    issue.path.length > 0 || issue.code === 'unrecognized_keys' || issue.code === 'invalid_format'
  )
}

/** Of the unions of the schema, by the place without numbers. */
const WHAT_FITS: Readonly<Record<string, string>> = {
  database: 'it has to be "embedded", a postgres:// URL, { url, poolSize, … } or false',
  static: 'it has to be a folder, or a list of folders and { dir, prefix }',
  'static.index': 'it has to be a file name, or a list of them',
  'static.spa': 'it has to be true, false, or a path inside the folder',
  'cors.origins': 'it has to be "*" or a list of origins',
  securityHeaders: 'it has to be an object of changes, or false for no safety fields',
  health: 'it has to be { alivePath, readyPath, timeoutMs, checks } or false',
  listen: "it has to be an address like '127.0.0.1:80', or { path, mode }",
  'tls.hsts': 'it has to be true, false, or { maxAgeSeconds, includeSubdomains, preload }',
  accessLog: 'it has to be a file, "stdout", "stderr", or { file, format, redact, sample, … }',
  tracing: 'it has to be { endpoint, headers, serviceName, sampleRatio, … } or false',
  csrf: 'it has to be { mode, trustedOrigins } or false',
  compression: 'it has to be { minBytes, types } or false',
  'securityHeaders.contentTypeOptions': 'it has to be "nosniff" or false',
  'securityHeaders.referrerPolicy': 'it has to be a policy or false',
  'securityHeaders.frameAncestors': 'it has to be "self", "none", a list of origins or false',
  'securityHeaders.openerPolicy':
    'it has to be "same-origin", "same-origin-allow-popups", "unsafe-none" or false',
  'securityHeaders.resourcePolicy':
    'it has to be "same-origin", "same-site", "cross-origin" or false',
}

function whatFits(place: readonly PropertyKey[]): string {
  const name = place.filter((part) => typeof part === 'string').join('.')
  return WHAT_FITS[name] ?? 'it has to be an object of names and their lists, or false'
}

function valueAt(raw: unknown, place: readonly PropertyKey[]): unknown {
  return place.reduce((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], raw)
}

function dotted(place: readonly PropertyKey[]): string {
  const text = place.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
  return text.length === 0 ? 'the configuration' : text.join('').replace(/^\./, '')
}

/** What stands there, short and without secrets: the value of plain things, the kind of others. */
function show(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return value.includes('@') ? 'a string' : JSON.stringify(value)
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`.replace('a object', 'an object')
}

function expected(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    const article = /^[aeiou]/.test(issue.expected) ? 'an' : 'a'
    return issue.expected === 'int' ? 'a whole number' : `${article} ${issue.expected}`
  }
  if (issue.code === 'too_small') return `at least ${issue.minimum}`
  if (issue.code === 'too_big') return `at most ${issue.maximum}`
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(show).join(', ')}`
  return issue.message
}
