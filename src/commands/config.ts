/** `uwas config`: prints the whole configuration of a site, defaults and environment filled in, without what is secret. */
import { compileUrls } from '../route/compile.ts'
import type { SiteConfig } from '../was/config.ts'
import { printJson } from './json.ts'
import { loadSite, type SiteFlags } from './site.ts'

export interface ConfigFlags extends SiteFlags {
  readonly json: boolean
}

const HIDDEN = '(hidden)'
/** Keys whose texts nobody may see, however deep; objects below them keep their names. */
const SECRET = new Set(['secrets', 'passphrase', 'hmacKey', 'token', 'users', 'headers'])

export async function configCommand(flags: ConfigFlags): Promise<number> {
  const shown = shownConfig(await loadSite(flags))
  if (flags.json) printJson(shown)
  else process.stdout.write(`${linesOf(shown).join('\n')}\n`)
  return 0
}

/** As JSON can hold it: code by its name, secrets hidden, passwords in URLs too. */
export function shownConfig(config: SiteConfig): unknown {
  const { urls, ...rest } = config
  const routes = urls === null ? null : `(${compileUrls(urls).routes.length} routes: uwas routes)`
  const { file, root, ...more } = rest
  return shown({ file, root, urls: routes, ...more }, false)
}

function shown(value: unknown, isSecret: boolean): unknown {
  if (typeof value === 'function') return `(function ${value.name || 'without a name'})`
  if (typeof value === 'string') return isSecret ? HIDDEN : withoutPassword(value)
  if (Array.isArray(value)) return value.map((one) => shown(one, isSecret))
  if (value === null || typeof value !== 'object')
    return isSecret && value !== null ? HIDDEN : value
  if (value instanceof RegExp) return String(value)
  const entries = Object.entries(value)
  return Object.fromEntries(
    entries.map(([key, one]) => [key, shown(one, isSecret || SECRET.has(key))]),
  )
}

/** `postgres://ann:secret@db/site`, and `?password=secret` as libpq has it. */
function withoutPassword(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#]*?:)[^/?#]*@/i, `$1${HIDDEN}@`)
    .replace(/([?&](?:password|sslpassword|passphrase|token|key|secret)=)[^&#]*/gi, `$1${HIDDEN}`)
}

/** `limits.maxBodyBytes = 1048576`: one line a value; lists of plain values are one. */
function linesOf(value: unknown, place = ''): string[] {
  if (!isNested(value)) return [`${place} = ${JSON.stringify(value)}`]
  const isList = Array.isArray(value)
  return Object.entries(value).flatMap(([key, one]) =>
    linesOf(one, isList ? `${place}[${key}]` : join(place, key)),
  )
}

function isNested(value: unknown): value is object {
  if (value === null || typeof value !== 'object') return false
  const inner: unknown[] = Object.values(value)
  return Array.isArray(value)
    ? inner.some((one) => one !== null && typeof one === 'object')
    : inner.length > 0
}

function join(place: string, key: string): string {
  const isName = /^[A-Za-z_$][\w$]*$/.test(key)
  if (!isName) return `${place}[${JSON.stringify(key)}]`
  return place === '' ? key : `${place}.${key}`
}
