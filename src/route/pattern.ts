/**
 * Reads a pattern such as `/posts/<int:id>/edit` into segments, once, at start. `path()` and
 * `include()` bring the text; the matcher, the checks and reverse() work on the segments.
 */
import { createError } from '../core/errors.ts'
import { hintNearest } from '../core/nearest.ts'
import { BUILT_IN_CONVERTERS, type Converter, type Converters } from './converters.ts'

export interface Parameter {
  readonly name: string
  /** Name of its converter as written in the pattern; `str` where none is. */
  readonly type: string
  readonly converter: Converter<unknown>
}

/** What stands between two slashes. */
export type Segment = LiteralSegment | DynamicSegment | RestSegment

export interface LiteralSegment {
  readonly kind: 'literal'
  /** Decoded text; empty only as the last segment: the pattern ends with `/`. */
  readonly text: string
}

export interface DynamicSegment {
  readonly kind: 'dynamic'
  /** Texts before, between and after the parameters: one more than there are parameters. */
  readonly literals: readonly string[]
  readonly parameters: readonly Parameter[]
}

export interface RestSegment {
  readonly kind: 'rest'
  readonly parameter: Parameter
}

/** Where a pattern comes from, for messages: its text and the `file:line` of its `path()` call. */
export interface Source {
  readonly pattern: string
  readonly place: string
  readonly converters: Converters
}

const PARAMETER_NAME = /^[A-Za-z_]\w*$/
const REFUSED_LITERAL: readonly [RegExp, string][] = [
  [/>/, 'a ">" without its "<"'],
  [/[?#]/, 'a query or fragment is no part of a pattern; read it from req.query'],
  [
    /%[0-9a-f]{2}/i,
    'percent-encoding is decoded before patterns are matched; write the character itself',
  ],
  [/\\/, 'no request path holds a "\\"'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to refuse
  [/[\x00-\x1f\x7f]/, 'no request path holds a control character'],
]

/**
 * Grammar: `/`, then segments between slashes; a segment is literal text, or text with `<name>` and
 * `<converter:name>` in it; `<path:name>` is a whole last segment. Two parameters in one segment need
 * text between them that the first one's alphabet does not hold, so that there is one way to read it.
 * `place` is for messages. Throws UWAS_ERR_ROUTE_PATTERN, _CONVERTER_UNKNOWN, _PARAMETER_DUPLICATE.
 */
export function parsePattern(pattern: string, place: string, converters: Converters): Segment[] {
  const source = { pattern, place, converters }
  if (typeof pattern !== 'string' || !pattern.startsWith('/')) {
    throw malformed(source, 0, 'a pattern starts with "/"')
  }
  const segments: Segment[] = []
  for (let from = 1; from <= pattern.length; ) {
    const to = segmentEnd(pattern, from)
    segments.push(parseSegment(source, from, to))
    from = to + 1
  }
  checkUnique(source, segments)
  return segments
}

/** The parameters of a pattern in their order. */
export function parametersOf(segments: readonly Segment[]): Parameter[] {
  return segments.flatMap((segment) => {
    if (segment.kind === 'literal') return []
    return segment.kind === 'rest' ? [segment.parameter] : segment.parameters
  })
}

/** True when both match the same texts: names of parameters do not count, converters do. */
export function sameSegment(a: Segment, b: Segment): boolean {
  if (a.kind === 'literal') return b.kind === 'literal' && a.text === b.text
  if (a.kind === 'rest') return b.kind === 'rest' && a.parameter.converter === b.parameter.converter
  return (
    b.kind === 'dynamic' &&
    a.parameters.length === b.parameters.length &&
    a.literals.every((text, i) => text === b.literals[i]) &&
    a.parameters.every(({ converter }, i) => converter === b.parameters[i]?.converter)
  )
}

/** Index of the slash (or other `mark`) that ends the segment; one inside `<…>` does not count. */
export function segmentEnd(pattern: string, from: number, mark = '/'): number {
  let open = false
  for (let at = from; at < pattern.length; at++) {
    const character = pattern[at]
    if (character === '<') open = true
    else if (character === '>') open = false
    else if (character === mark && !open) return at
  }
  return pattern.length
}

function parseSegment(source: Source, from: number, to: number): Segment {
  const { literals, parameters } = parseParts(source, from, to, parseLiteral)
  const [first] = parameters
  const text = literals[0] as string
  if (first === undefined) return literalSegment(source, from, to, text)
  if (parameters.some(({ converter }) => converter.rest === true)) {
    if (parameters.length > 1 || literals.join('') !== '' || to !== source.pattern.length) {
      throw malformed(
        source,
        from,
        `<${first.type}:…> takes the rest of the path: it has to be the last, whole segment`,
      )
    }
    return { kind: 'rest', parameter: first }
  }
  checkUnambiguous(source, from, literals, parameters)
  return { kind: 'dynamic', literals, parameters }
}

/** Texts and parameters of what stands between two marks; for host-pattern.ts as well. */
export function parseParts(
  source: Source,
  from: number,
  to: number,
  readText: (source: Source, from: number, to: number) => string,
): Omit<DynamicSegment, 'kind'> {
  const literals: string[] = []
  const parameters: Parameter[] = []
  let at = from
  for (;;) {
    const open = source.pattern.indexOf('<', at)
    const literalEnd = open < 0 || open >= to ? to : open
    literals.push(readText(source, at, literalEnd))
    if (literalEnd === to) return { literals, parameters }
    const close = source.pattern.indexOf('>', open)
    if (close < 0) throw malformed(source, open, 'this "<" is not closed')
    parameters.push(parseParameter(source, open + 1, close))
    at = close + 1
  }
}

function literalSegment(source: Source, from: number, to: number, text: string): LiteralSegment {
  if (text === '' && to !== source.pattern.length) throw malformed(source, from, 'an empty segment')
  if (text === '.' || text === '..') {
    throw malformed(source, from, `no request path holds the segment "${text}"`)
  }
  return { kind: 'literal', text }
}

function parseLiteral(source: Source, from: number, to: number): string {
  const text = source.pattern.slice(from, to)
  for (const [refused, problem] of REFUSED_LITERAL) {
    const found = refused.exec(text)
    if (found !== null) throw malformed(source, from + found.index, problem)
  }
  if (!text.isWellFormed()) throw malformed(source, from, 'half a surrogate pair')
  return text
}

function parseParameter(source: Source, from: number, to: number): Parameter {
  const inside = source.pattern.slice(from, to)
  const colon = inside.indexOf(':')
  const type = colon < 0 ? 'str' : inside.slice(0, colon)
  const name = inside.slice(colon + 1)
  if (!PARAMETER_NAME.test(name) || name === '__proto__') {
    throw malformed(
      source,
      from + colon + 1,
      `"${name}" cannot name a parameter; write <name> or <converter:name>, the name of letters, digits and "_"`,
    )
  }
  return { name, type, converter: findConverter(source, from, type) }
}

function findConverter(source: Source, position: number, type: string): Converter<unknown> {
  const { converters, pattern, place } = source
  if (Object.hasOwn(converters, type)) return converters[type] as Converter<unknown>
  if (Object.hasOwn(BUILT_IN_CONVERTERS, type)) {
    return BUILT_IN_CONVERTERS[type as keyof typeof BUILT_IN_CONVERTERS]
  }
  throw createError('UWAS_ERR_ROUTE_CONVERTER_UNKNOWN', {
    pattern,
    place,
    position: position + 1,
    converter: type,
    hint: hintNearest(type, [...Object.keys(BUILT_IN_CONVERTERS), ...Object.keys(converters)]),
  })
}

/** Throws UWAS_ERR_ROUTE_PATTERN where it is not clear which text belongs to which parameter. */
export function checkUnambiguous(
  source: Source,
  position: number,
  literals: readonly string[],
  parameters: readonly Parameter[],
): void {
  for (const [i, { name, converter }] of parameters.slice(0, -1).entries()) {
    const next = literals[i + 1] as string
    const ends =
      next !== '' &&
      converter.alphabet !== undefined &&
      !converter.alphabet.includes([...next][0] as string)
    if (ends) continue
    const after =
      next === '' ? 'the next parameter follows at once' : `"${next}" could belong to it`
    throw malformed(
      source,
      position,
      `it is not clear where <${name}> ends in its segment: ${after}`,
    )
  }
}

function checkUnique(source: Source, segments: readonly Segment[]): void {
  const seen = new Set<string>()
  for (const { name } of parametersOf(segments)) {
    if (seen.has(name)) {
      throw createError('UWAS_ERR_ROUTE_PARAMETER_DUPLICATE', {
        pattern: source.pattern,
        place: source.place,
        name,
      })
    }
    seen.add(name)
  }
}

/** `position` counts from 0 here, from 1 in the message. */
function malformed({ pattern, place }: Source, position: number, problem: string): Error {
  return createError('UWAS_ERR_ROUTE_PATTERN', { pattern, place, position: position + 1, problem })
}
