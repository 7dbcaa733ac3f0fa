/** `uwas config`: prints the whole configuration of a site, defaults and environment filled in, without what is secret. */
import { parseDatabaseUrl } from '../model/url.ts'
import { compileUrls } from '../route/compile.ts'
import type { SiteConfig } from '../was/config.ts'
import { printJson } from './json.ts'
import { loadSite, type SiteFlags } from './site.ts'

export interface ConfigFlags extends SiteFlags {
  readonly json: boolean
}

const HIDDEN = '(hidden)'
/** Places, and keys at any place, whose texts nobody may see; objects below them keep their names. */
const SECRET = new Set(['secrets', 'passphrase', 'hmacKey', 'token', 'users', 'tracing.headers'])
/** Names of what a query may have that nobody may see. */
const SECRET_NAME = /pass|pwd|secret|token|key|sig|auth|cred/i

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
  return shown({ file, root, urls: routes, ...more }, '', false)
}

function shown(value: unknown, place: string, isSecret: boolean): unknown {
  if (typeof value === 'function') return `(function ${value.name || 'without a name'})`
  if (typeof value === 'string') return isSecret ? HIDDEN : shownText(value, place)
  if (Array.isArray(value)) return value.map((one) => shown(one, place, isSecret))
  if (value === null || typeof value !== 'object')
    return isSecret && value !== null ? HIDDEN : value
  if (value instanceof RegExp) return String(value)
  const entries = Object.entries(value).map(([key, one]) => {
    const inner = join(place, key)
    return [key, shown(one, inner, isSecret || SECRET.has(key) || SECRET.has(inner))]
  })
  return Object.fromEntries(entries)
}

function shownText(text: string, place: string): string {
  if (place === 'database.url' || place === 'database.directUrl') return shownDatabase(text)
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? withoutSecrets(text) : text
}

/** What is no URL may have its password anywhere. */
function shownDatabase(url: string): string {
  try {
    const { user, password, where } = parseDatabaseUrl(url)
    return `postgres://${user}${password === undefined ? '' : `:${HIDDEN}`}@${where}`
  } catch {
    return `${HIDDEN}: it cannot be read as a PostgreSQL URL`
  }
}

/** `https://ann:secret@host/?api_key=secret` */
function withoutSecrets(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#]*?:)[^/?#]*@/i, `$1${HIDDEN}@`)
    .replace(/([?&;])([^=&;#]*)=([^&;#]*)/g, (whole, mark: string, name: string) =>
      SECRET_NAME.test(decodeLoosely(name)) ? `${mark}${name}=${HIDDEN}` : whole,
    )
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
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
