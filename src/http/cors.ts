/**
 * Cross-origin resource sharing (Fetch standard, "CORS protocol"): the site's policies are compiled
 * once; a path and an Origin come in, the fields of the answer leave. Pure; `was/front.ts` calls it.
 */
import { createError } from '../core/errors.ts'
import { checkHeader, type HeaderList, isToken } from './headers.ts'

/** Which other origins may read what lies below a path. */
export interface CorsPolicy {
  /** Path below which it holds; the longest prefix wins. Default `/`: the whole site. */
  readonly prefix?: string | undefined
  /** `'*'` for everybody, or a list of origins: `https://app.example.org`, without a path. */
  readonly origins: '*' | readonly string[]
  /** Methods that a preflight allows. Default GET, HEAD and POST. */
  readonly methods?: readonly string[] | undefined
  /** Request fields that a preflight allows, besides the ones that every page may send. Default none. */
  readonly headers?: readonly string[] | undefined
  /** Response fields that a script may read, besides the ones that every script may. Default none. */
  readonly exposeHeaders?: readonly string[] | undefined
  /** Whether cookies may come along. Needs a list of origins. Default false. */
  readonly credentials?: boolean | undefined
  /** Seconds for which a browser may remember a preflight. Default 600. */
  readonly maxAgeSeconds?: number | undefined
}

/** Fields to add to an answer. One object for each case, so that callers can keep what they derive of it. */
export interface CorsFields {
  readonly list: Readonly<HeaderList>
}

export interface Cors {
  /** What an answer for `path` carries beside its own fields; null where no policy covers it. */
  fields(path: string, origin: string | undefined): CorsFields | null
  /** The same for a preflight. It answers 204; without permission it lacks the fields that allow. */
  preflight(path: string, origin: string): CorsFields | null
}

const DEFAULT_METHODS = ['GET', 'HEAD', 'POST']
const DEFAULT_MAX_AGE_SECONDS = 600
const VARY: HeaderList[number] = ['Vary', 'Origin']

interface Compiled {
  readonly prefix: string
  /** Fields for an origin that is not in the lists: everybody's when the policy is `*`. */
  readonly others: CorsFields
  readonly listed: ReadonlyMap<string, CorsFields>
  readonly preflightOthers: CorsFields
  readonly preflightListed: ReadonlyMap<string, CorsFields>
}

/** Null when there is no policy. Throws UWAS_ERR_HTTP_CORS for one that is unsafe or says nothing. */
export function createCors(policies: readonly CorsPolicy[]): Cors | null {
  if (policies.length === 0) return null
  const compiled = policies.map(compile).sort((a, b) => b.prefix.length - a.prefix.length)
  for (const [index, { prefix }] of compiled.entries()) {
    if (compiled[index + 1]?.prefix === prefix) {
      refuse(prefix === '' ? '/' : prefix, 'there are two policies for this prefix; keep one')
    }
  }
  const find = (path: string): Compiled | undefined =>
    compiled.find(({ prefix }) => isBelow(path, prefix))
  return {
    fields(path, origin) {
      const policy = find(path)
      if (policy === undefined) return null
      return (origin === undefined ? undefined : policy.listed.get(origin)) ?? policy.others
    },
    preflight(path, origin) {
      const policy = find(path)
      return policy === undefined
        ? null
        : (policy.preflightListed.get(origin) ?? policy.preflightOthers)
    },
  }
}

/** `prefix` without a slash at its end: `/api` covers itself and what lies below, not `/apis`. */
function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
}

function compile(policy: CorsPolicy): Compiled {
  const { prefix = '/', origins, credentials = false } = policy
  if (!prefix.startsWith('/')) refuse(prefix, 'a prefix starts with "/"')
  const shared: HeaderList = credentials ? [['Access-Control-Allow-Credentials', 'true']] : []
  const exposed = names(prefix, 'exposeHeaders', policy.exposeHeaders ?? [])
  const own: HeaderList =
    exposed === '' ? shared : [...shared, ['Access-Control-Expose-Headers', exposed]]
  const asked = [...shared, ...preflightFields(policy, prefix)]
  const base = { prefix: prefix.replace(/\/$/, '') }
  if (origins === '*') {
    if (credentials)
      refuse(prefix, 'credentials need a list of origins; "*" would let every site in')
    const allow: HeaderList = [['Access-Control-Allow-Origin', '*']]
    const none = { listed: new Map(), preflightListed: new Map() }
    return { ...base, ...none, others: all(allow, own), preflightOthers: all(allow, asked) }
  }
  if (origins.length === 0)
    refuse(prefix, 'it allows no origin; list some, or leave the policy out')
  const allow = (origin: string): HeaderList => [['Access-Control-Allow-Origin', origin], VARY]
  const checked = origins.map((origin) => checkOrigin(prefix, origin))
  return {
    ...base,
    others: { list: [VARY] },
    listed: new Map(checked.map((origin) => [origin, all(allow(origin), own)])),
    preflightOthers: { list: [VARY] },
    preflightListed: new Map(checked.map((origin) => [origin, all(allow(origin), asked)])),
  }
}

function preflightFields(policy: CorsPolicy, prefix: string): HeaderList {
  const { methods = DEFAULT_METHODS, maxAgeSeconds = DEFAULT_MAX_AGE_SECONDS } = policy
  const headers = names(prefix, 'headers', policy.headers ?? [])
  return [
    ['Access-Control-Allow-Methods', names(prefix, 'methods', methods)],
    ...(headers === '' ? [] : ([['Access-Control-Allow-Headers', headers]] as HeaderList)),
    ['Access-Control-Max-Age', String(maxAgeSeconds)],
  ]
}

function all(...lists: HeaderList[]): CorsFields {
  const list = lists.flat()
  for (const [name, value] of list) checkHeader(name, value)
  return { list }
}

function names(prefix: string, key: string, list: readonly string[]): string {
  // `*` would mean a field of that name as soon as credentials come along.
  const bad = list.find((name) => name === '*' || !isToken(name))
  if (bad !== undefined) refuse(prefix, `${key} has ${JSON.stringify(bad)}, which is no name`)
  return list.join(', ')
}

/** As a browser writes it: scheme, host in lower case, port unless it is the scheme's own. */
function checkOrigin(prefix: string, origin: string): string {
  const serialized = URL.canParse(origin) ? new URL(origin).origin : 'null'
  if (serialized === origin && origin !== 'null') return origin
  const advice =
    serialized === 'null' ? 'write it like https://app.example.org' : `say "${serialized}"`
  return refuse(prefix, `${JSON.stringify(origin)} is not an origin as browsers send it; ${advice}`)
}

function refuse(prefix: string, problem: string): never {
  throw createError('UWAS_ERR_HTTP_CORS', { prefix: JSON.stringify(prefix), problem })
}
