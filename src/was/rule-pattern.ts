/**
 * The pattern language of redirects and rewrites: `/old/<name>/*`. A pattern is compiled once; a path is
 * matched by comparing its parts from left to right, each looked at once, so no path can be slow.
 */
import { encodePath, parseTarget } from '../http/target.ts'

/** What the placeholders of a pattern stand for; `*` is the rest of the path. */
export type Captured = ReadonlyMap<string, string>

export interface Pattern {
  /** The first part when it is plain text, else null: what rules are indexed by. */
  readonly first: string | null
  /** Names that a target may use, `*` among them. */
  readonly names: ReadonlySet<string>
  /** Null when `path`, decoded and canonical, does not match. */
  match(path: string): Captured | null
  /** A path that matches, with `value` for every placeholder. */
  sample(value: string): string
}

/** One part of a path: text before and after a placeholder, or text alone. */
interface Part {
  readonly before: string
  readonly name: string | null
  readonly after: string
}

const PLACEHOLDER = /^([^<>*]*)<([a-z_][a-z0-9_]*)>([^<>*]*)$/i

/**
 * `<name>` stands for one part of the path or a piece of it, never empty; `*` alone as the last part for
 * everything below, `/old/` itself included. A mistake is a string: what is wrong.
 */
export function parsePattern(text: string): Pattern | string {
  if (!text.startsWith('/')) return 'it has to start with "/"'
  const hasRest = text.endsWith('/*')
  const parts = splitParts(hasRest ? text.slice(0, -2) : text)
  if (typeof parts === 'string') return parts
  const names = parts.flatMap(({ name }) => (name === null ? [] : [name]))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) return `<${twice}> is there twice`
  const [first] = parts
  const sample = (value: string): string =>
    [...parts.map((part) => `/${part.before}${part.name === null ? '' : value}${part.after}`)].join(
      '',
    ) + (hasRest ? `/${value}` : '')
  if (typeof parseTarget(encodePath(sample('x'))) === 'number') {
    return 'no path looks like that: leave out empty, "." and ".." parts and "\\"'
  }
  return {
    first: first === undefined || first.name !== null ? null : first.before,
    names: new Set(hasRest ? [...names, '*'] : names),
    match: (path: string) => matchParts(parts, hasRest, path),
    sample,
  }
}

function splitParts(text: string): Part[] | string {
  if (text === '') return []
  const parts: Part[] = []
  for (const part of text.slice(1).split('/')) {
    if (part.includes('*')) return '"*" stands alone as the last part'
    const found = PLACEHOLDER.exec(part)
    if (found !== null) {
      const [, before = '', name = '', after = ''] = found
      parts.push({ before, name, after })
    } else if (/[<>]/.test(part)) {
      return `${JSON.stringify(part)} is no part: one <name> each, of letters, digits and _`
    } else parts.push({ before: part, name: null, after: '' })
  }
  return parts
}

function matchParts(parts: readonly Part[], hasRest: boolean, path: string): Captured | null {
  const captured = new Map<string, string>()
  let at = 0
  for (const { before, name, after } of parts) {
    if (path[at] !== '/') return null
    const slash = path.indexOf('/', at + 1)
    const part = path.slice(at + 1, slash < 0 ? path.length : slash)
    if (name === null) {
      if (part !== before) return null
    } else {
      if (part.length <= before.length + after.length) return null
      if (!part.startsWith(before) || !part.endsWith(after)) return null
      captured.set(name, part.slice(before.length, part.length - after.length))
    }
    at += part.length + 1
  }
  if (!hasRest) return at === path.length ? captured : null
  if (path[at] !== '/') return null
  captured.set('*', path.slice(at + 1))
  return captured
}

/**
 * `target` with its placeholders filled in, each value percent-encoded for where it stands. A part that would be empty,
 * since `*` is so or ends with a slash, is left out of the path.
 */
export function fillIn(target: string, captured: Captured): string {
  const pathEnd = target.search(/[?#]|$/)
  return target.replace(
    /<([a-z_][a-z0-9_]*)>|\*\/?/gi,
    (whole, name: string | undefined, at: number) => {
      if (name !== undefined) return encodeURIComponent(captured.get(name) ?? whole)
      const rest = encodePath(captured.get('*') ?? '*')
      const isDoubled = rest === '' ? target[at - 1] === '/' : rest.endsWith('/')
      return at < pathEnd && isDoubled ? rest : rest + whole.slice(1)
    },
  )
}
