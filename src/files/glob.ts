/**
 * Patterns of file paths, as a site writes them for `cacheControl`. Compiled at start, run once per
 * file; the time is bounded by pattern × path, whatever either of them holds.
 */

/** Takes a path relative to its mount's folder: `css/site.css`. */
export type PathTest = (relative: string) => boolean

/**
 * One place in a pattern: a character, `?`, `*` (within a part), `**` (across parts), or one of the two
 * that stand for `**` + `/`: before it, and inside of the parts that it stands for.
 */
type Step =
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: '?' | '*' | '**' | 'parts' | 'inside' }

/**
 * `*` stands for any characters but `/`, `**` for any at all, `?` for one but `/`; the rest for itself, case
 * included. `**` + `/` may also stand for nothing. A pattern without `/` is held against the file's name, in
 * whatever folder; one with `/` against its whole path, a `/` at its start notwithstanding.
 */
export function compileGlob(pattern: string): PathTest {
  const steps = parse(pattern.startsWith('/') ? pattern.slice(1) : pattern)
  if (pattern.includes('/')) return (relative) => matches(steps, relative)
  return (relative) => matches(steps, relative.slice(relative.lastIndexOf('/') + 1))
}

function parse(pattern: string): Step[] {
  const steps: Step[] = []
  const parts = pattern.match(/\*\*\/|\*+|[\s\S]/gu) ?? []
  for (const part of parts) {
    if (part === '**/') steps.push({ kind: 'parts' }, { kind: 'inside' })
    else if (part.startsWith('*')) steps.push({ kind: part.length > 1 ? '**' : '*' })
    else if (part === '?') steps.push({ kind: '?' })
    else steps.push({ kind: 'char', char: part })
  }
  return steps
}

/** Walks all places of the pattern that the path read so far can have reached, at once. */
function matches(steps: readonly Step[], path: string): boolean {
  let at = skipStars(steps, new Set([0]))
  for (const char of path) {
    const next = new Set<number>()
    for (const i of at) {
      const step = steps[i]
      if (step === undefined) continue
      if (step.kind === '**' || (step.kind === '*' && char !== '/')) next.add(i)
      else if (step.kind === 'inside') next.add(char === '/' ? i + 1 : i).add(i)
      else if (step.kind === '?' && char !== '/') next.add(i + 1)
      else if (step.kind === 'char' && step.char === char) next.add(i + 1)
    }
    if (next.size === 0) return false
    at = skipStars(steps, next)
  }
  return at.has(steps.length)
}

/** A star may stand for nothing. */
function skipStars(steps: readonly Step[], at: Set<number>): Set<number> {
  // A set that grows while it is walked is walked to its new end.
  for (const i of at) {
    const kind = steps[i]?.kind
    if (kind === '*' || kind === '**') at.add(i + 1)
    else if (kind === 'parts') at.add(i + 1).add(i + 2)
  }
  return at
}
