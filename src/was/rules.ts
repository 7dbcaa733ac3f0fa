/**
 * Redirects and rewrites: a site's table comes in at start, is checked for mistakes and loops, and
 * leaves as two look-ups. `front.ts` asks them before files and routes.
 */
import { createError } from '../core/errors.ts'
import { encodePath, parseTarget } from '../http/target.ts'
import { fillIn, type Pattern, parsePattern } from './rule-pattern.ts'

/** Sends a client elsewhere. */
export interface Redirect {
  /** Path, decoded: `/old/<name>/*`. `<name>` is one part or a piece of it, `*` at the end is the rest. */
  readonly from: string
  /** Path of this site, or an `https://…` address; may use what `from` captures. A part of the path that is left empty goes. */
  readonly to: string
  /** 301 and 302 may turn a POST into a GET; 307 and 308 do not. 301 and 308 are remembered for ever. */
  readonly status: 301 | 302 | 303 | 307 | 308
}

/** Answers a path with what another one has, unseen by the client. Applied once, after redirects. */
export interface Rewrite {
  /** As in `Redirect`. */
  readonly from: string
  /** Path of this site, without a query; the request's own stays. */
  readonly to: string
}

export interface RuleMatch {
  /** Percent-encoded target; the query of the request is not in it. */
  readonly target: string
  /** 0 for a rewrite. */
  readonly status: number
}

/** The first rule of the table that matches a decoded canonical path. */
export type Rules = (path: string) => RuleMatch | undefined

interface Rule {
  readonly pattern: Pattern
  readonly to: string
  readonly status: number
}

/** Null for an empty table. Throws UWAS_ERR_WAS_RULE, UWAS_ERR_WAS_RULE_LOOP. */
export function compileRedirects(table: readonly Redirect[]): Rules | null {
  const rules = table.map(({ from, to, status }) => compile('redirects', from, to, status))
  const find = index(rules)
  if (find !== null) refuseLoops(table, rules, find)
  return find
}

/** Null for an empty table. Throws UWAS_ERR_WAS_RULE. */
export function compileRewrites(table: readonly Rewrite[]): Rules | null {
  return index(
    table.map(({ from, to }) => {
      if (/[?#]/.test(to)) refuse('rewrites', from, to, 'it leads to a path, so without ? and #')
      return compile('rewrites', from, to, 0)
    }),
  )
}

function compile(table: string, from: string, to: string, status: number): Rule {
  const pattern = parsePattern(from)
  if (typeof pattern === 'string') refuse(table, from, to, pattern)
  if (from === to) refuse(table, from, to, 'it leads to itself')
  const used = to.match(/<[^>]*>?|\*/g) ?? []
  for (const each of used) {
    const name = each === '*' ? '*' : each.slice(1, -1)
    if (!pattern.names.has(name)) refuse(table, from, to, `"from" has no ${each}`)
  }
  return { pattern, to: checkTarget(table, from, to, status), status }
}

/** `//host` and `/\host` would leave the site, so would a host that a client chooses. */
function checkTarget(table: string, from: string, to: string, status: number): string {
  if (to.startsWith('/')) {
    const path = /^[^?#]*/.exec(to)?.[0] ?? ''
    const sample = path.replace(/<[^>]*>|\*/g, 'x')
    // A path that is encoded already stays as it is; one that people wrote is encoded here.
    const encoded = /%[0-9a-f]{2}/i.test(path) ? path : encodeLiteral(path)
    if (typeof parseTarget(encodeLiteral(sample)) === 'number') {
      refuse(
        table,
        from,
        to,
        'no path looks like that: leave out empty, "." and ".." parts and "\\"',
      )
    }
    return encoded + to.slice(path.length).replace(/[^\x21-\x7e]+/g, encodeURIComponent)
  }
  const [, host = ''] = /^https?:\/\/([^/?#]*)/.exec(to) ?? []
  if (status === 0)
    refuse(table, from, to, 'it leads to a path of this site, which starts with "/"')
  if (!URL.canParse(to.replace(/[<>*]/g, 'x')) || host === '' || /[<>*@\\]/.test(host)) {
    refuse(
      table,
      from,
      to,
      'it leads to a path, or to an address with a fixed host: https://host/…',
    )
  }
  return to.replace(/[^\x21-\x7e]+/g, encodeURIComponent)
}

/** Percent-encodes what is text in a target, not its placeholders. */
function encodeLiteral(path: string): string {
  return path.replace(/[^<>*]+/g, (run) => (run.includes('%') ? run : encodePath(run)))
}

/** One `Map` look-up by the first part of the path, then the few rules that begin like it, in order. */
function index(rules: readonly Rule[]): Rules | null {
  if (rules.length === 0) return null
  const open = rules.filter(({ pattern }) => pattern.first === null)
  const firsts = new Set(rules.flatMap(({ pattern }) => pattern.first ?? []))
  const byFirst = new Map(
    [...firsts].map((first) => [
      first,
      rules.filter(({ pattern }) => pattern.first === null || pattern.first === first),
    ]),
  )
  return (path) => {
    const slash = path.indexOf('/', 1)
    const first = slash < 0 ? path.slice(1) : path.slice(1, slash)
    for (const { pattern, to, status } of byFirst.get(first) ?? open) {
      const captured = pattern.match(path)
      if (captured === null) continue
      const target = fillIn(to, captured)
      if (!isSafe(target)) continue
      // Some paths of a pattern may be where it leads: nobody is sent to where they are.
      if (target !== path && target !== encodePath(path)) return { target, status }
    }
    return undefined
  }
}

/**
 * False for what captured text has made of a path of this site that is none (`/../x`, `//host`): a rule that would lead
 * there does not match, for `//host` is another site. An address has its host from the table.
 */
function isSafe(target: string): boolean {
  return !target.startsWith('/') || pathOf(target) !== null
}

/** More values than these would only repeat what they show. */
const MAX_SAMPLES = 32

/**
 * Follows a sample of every rule until it leaves the table. The samples hold the parts that rules name,
 * so that a placeholder of one rule meets the text of another.
 */
function refuseLoops(table: readonly Redirect[], rules: readonly Rule[], find: Rules): void {
  const words = table.flatMap(({ from }) =>
    from.split('/').filter((part) => /^[^<>*]+$/.test(part)),
  )
  const samples = ['x', ...new Set(words)].slice(0, MAX_SAMPLES)
  for (const { pattern } of rules) {
    for (const value of samples) {
      const start = pattern.sample(value)
      const steps = [start]
      let at: string | null = start
      while (at !== null) {
        const next: RuleMatch | undefined = find(at)
        at = next === undefined ? null : pathOf(next.target)
        if (at !== null) steps.push(at)
        if (steps.length > rules.length + 1) {
          throw createError('UWAS_ERR_WAS_RULE_LOOP', { steps: steps.slice(0, 4).join(' → ') })
        }
      }
    }
  }
}

/** The decoded path of a target on this site; null for another host, and for what is no path. */
function pathOf(target: string): string | null {
  if (!target.startsWith('/')) return null
  const found = parseTarget(/^[^?#]*/.exec(target)?.[0] ?? '/')
  return typeof found === 'number' ? null : found.path
}

function refuse(table: string, from: string, to: string, problem: string): never {
  throw createError('UWAS_ERR_WAS_RULE', { table, from, to, problem })
}
