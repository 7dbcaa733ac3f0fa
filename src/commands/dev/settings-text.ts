/** The configuration as development's error page shows it: a line for each value, and nobody's secrets. */
import type { SiteConfig } from '../../was/config.ts'

/** Texts under such names are for nobody's eyes, not on a screen that is shared either. */
export const SECRET_NAME =
  /^(?:cookie|authorization|proxy-authorization)$|token|secret|password|passphrase|credential|key/i

/** `user:password@` of a URL, and parameters with telling names. */
const LOGIN = /(\/\/[^\s:/@]*):[^\s@]*@/g
const PARAMETER = /([?&;\s][\w-]*(?:token|secret|password|key)[\w-]*=)[^&;\s]*/gi

const MAX_LINES = 200

/** `limits.maxBodyBytes = 1048576`. What is no plain data (views, functions) stands with its kind alone. */
export function settingsText(config: SiteConfig): string {
  const lines = linesOf('', config)
  const shown = lines.slice(0, MAX_LINES)
  if (lines.length > MAX_LINES) shown.push(`… and ${lines.length - MAX_LINES} more`)
  return shown.join('\n')
}

/** For a text of which nobody knows what it is. */
export function withoutLogins(text: string): string {
  return text.replace(LOGIN, '$1:(hidden)@').replace(PARAMETER, '$1(hidden)')
}

function linesOf(place: string, value: unknown): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${place} = none`]
    return value.flatMap((each, i) => linesOf(`${place}[${i}]`, each))
  }
  if (isPlain(value)) {
    return Object.entries(value).flatMap(([name, each]) =>
      linesOf(place === '' ? name : `${place}.${name}`, each),
    )
  }
  return [`${place} = ${show(place, value)}`]
}

function show(place: string, value: unknown): string {
  if (typeof value === 'string') {
    return SECRET_NAME.test(place) ? '(hidden)' : JSON.stringify(withoutLogins(value))
  }
  if (typeof value === 'function') return '(function)'
  if (value !== null && typeof value === 'object') return `(${value.constructor?.name ?? 'object'})`
  return value === null ? 'none' : String(value)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
