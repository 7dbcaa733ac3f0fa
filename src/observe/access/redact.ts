/** Keeps the values of telling query parameters out of logs. Made once from the names. */

/** Names are compared in lower case, without `-` and `_`. */
const ALWAYS = [
  'password',
  'passwd',
  'pwd',
  'secret',
  'clientsecret',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'csrftoken',
  'sessiontoken',
  'session',
  'sessionid',
  'apikey',
  'authorization',
  'auth',
  'code',
  'signature',
  'sig',
]

export const REDACTED = '***'

/** Without the values of the names, and without the user of a URL. */
export interface Redact {
  /** Without `?`. */
  query(search: string): string
  /** Or a whole URL without its query: what proxies are asked for. */
  path(path: string): string
  url(url: string): string
  /** Whether the value of a request's field of this name says who somebody is. */
  hidesField(name: string): boolean
}

/** Names of fields alone, which end with one of these or of the others: `x-goog-api-key`. */
const FIELDS = ['cookie', 'proxyauthorization']
/** No secret in a field: `x-postal-code`. */
const NO_FIELDS = new Set(['code'])

const USER = /^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i

export function createRedact(names: readonly string[]): Redact {
  const hidden = new Set([...ALWAYS, ...names.map(normal)])
  const pair = (text: string): string => {
    const equals = text.indexOf('=')
    if (equals < 0) return text
    const name = text.slice(0, equals)
    return isHidden(name, hidden) ? `${name}=${REDACTED}` : text
  }
  const query = (search: string): string =>
    search.includes('=') ? search.split('&').map(pair).join('&') : search
  const path = (text: string): string =>
    text.startsWith('/') ? text : text.replace(USER, `$1${REDACTED}@`)
  const fields = new Set([...hidden, ...FIELDS].filter((name) => !NO_FIELDS.has(name)))
  return {
    query,
    path,
    hidesField(name) {
      const parts = name.split('-')
      return parts.some((_, i) => fields.has(normal(parts.slice(i).join(''))))
    },
    url(url) {
      const from = url.indexOf('?') + 1
      if (from === 0) return path(url)
      const end = url.indexOf('#', from)
      const to = end < 0 ? url.length : end
      return path(url.slice(0, from)) + query(url.slice(from, to)) + url.slice(to)
    },
  }
}

/** `user[password]` and `user.password` are a password too. */
function isHidden(name: string, hidden: ReadonlySet<string>): boolean {
  const plain = decode(name)
  if (hidden.has(normal(plain))) return true
  return /[[\].]/.test(plain) && plain.split(/[[\].]+/).some((part) => hidden.has(normal(part)))
}

function normal(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '')
}

function decode(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
