/**
 * Reads a host such as `<slug:tenant>.example.org` into labels, once, at start, and holds the hosts of
 * requests against it. `host()` brings the text; flatten.ts, compile.ts and reverse.ts work on the labels.
 */
import { domainToASCII } from 'node:url'
import { createError } from '../core/errors.ts'
import type { Converters } from './converters.ts'
import {
  checkUnambiguous,
  type DynamicSegment,
  type LiteralSegment,
  type Parameter,
  parametersOf,
  parseParts,
  type Source,
  sameSegment,
  segmentEnd,
} from './pattern.ts'
import { matchSegment } from './segment.ts'

/** What stands between two dots. */
export type Label = LiteralSegment | DynamicSegment

export interface HostPattern {
  /** As written. */
  readonly pattern: string
  /** `*.` in front: one label or more before `labels`. */
  readonly isWildcard: boolean
  /** From left to right; an IPv6 address in its brackets is one. */
  readonly labels: readonly Label[]
  readonly parameters: readonly Parameter[]
  /** `:8080`, for reverse() alone, or empty. */
  readonly port: string
}

const LABEL = /^[a-z0-9_-]*$/
const ADDRESS = /^\[[0-9a-f:.]+\]$/
const PORT = /:\d{1,5}$/
/** `//shop.example.org:8080`: labels of 63 characters at most that neither begin nor end with "-" (RFC 1123 section 2.1). */
const REFERENCE = /^\/\/(?:(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.|(?=:|$)))+(?<!\.)(?::\d+)?$/
const MAX_HOST_LENGTH = 253

/** Throws UWAS_ERR_ROUTE_HOST, _PATTERN, _CONVERTER_UNKNOWN. `place` is for messages. */
export function parseHost(pattern: string, place: string, converters: Converters): HostPattern {
  const refuse = (problem: string) =>
    createError('UWAS_ERR_ROUTE_HOST', { pattern, place, problem })
  if (typeof pattern !== 'string' || pattern === '') throw refuse('it is no text')
  if (/[/\\?#@\s]/.test(pattern)) {
    throw refuse('a host has no scheme, path or space; write it like www.example.org')
  }
  const [port = ''] = PORT.exec(pattern) ?? []
  const text = pattern.slice(0, pattern.length - port.length)
  const isWildcard = text.startsWith('*.')
  const labels = ADDRESS.test(text)
    ? [{ kind: 'literal', text } as const]
    : parseLabels(
        { pattern: text.replace(/\.$/, ''), place, converters },
        isWildcard ? 2 : 0,
        refuse,
      )
  const parameters = parametersOf(labels)
  if (isWildcard && parameters.length > 0) {
    throw refuse('"*" names no label; write <str:name> for it, or leave the other parameters out')
  }
  return Object.freeze({ pattern, isWildcard, labels, parameters, port })
}

/** As it is compared: small letters, without port and the dot at its end; empty for what is no host. */
export function normalizeHost(host: string): string {
  const bare = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.split(':', 1)[0]
  const lower = (bare as string).toLowerCase()
  const end = lower.endsWith('.') ? lower.slice(0, -1) : lower
  return end.startsWith('.') || end.includes('..') ? '' : end
}

/**
 * Values of the parameters, or undefined for no match. `labels` are those of a normalized host. Throws what
 * a converter throws.
 */
export function matchHost(host: HostPattern, labels: readonly string[]): unknown[] | undefined {
  const before = labels.length - host.labels.length
  if (host.isWildcard ? before < 1 : before !== 0) return undefined
  const values: unknown[] = []
  for (let i = host.labels.length - 1; i >= 0; i--) {
    const label = host.labels[i] as Label
    if (label.kind === 'literal' && label.text !== labels[before + i]) return undefined
  }
  for (let i = 0; i < host.labels.length; i++) {
    const label = host.labels[i] as Label
    if (label.kind === 'literal') continue
    if (!matchSegment(label, labels[before + i] as string, values)) return undefined
  }
  return values
}

/** The labels of a normalized host. */
export function labelsOf(host: string): string[] {
  return host.startsWith('[') ? [host] : host.split('.')
}

/** The one host that a pattern without parameters and `*` stands for, else undefined. */
export function exactHost({ isWildcard, labels }: HostPattern): string | undefined {
  if (isWildcard) return undefined
  const texts = labels.map((label) => (label.kind === 'literal' ? label.text : undefined))
  return texts.includes(undefined) ? undefined : texts.join('.')
}

/** True when both match the same hosts: names of parameters and ports do not count. */
export function sameHost(a: HostPattern | undefined, b: HostPattern | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    a.isWildcard === b.isWildcard &&
    a.labels.length === b.labels.length &&
    a.labels.every((label, i) => sameSegment(label, b.labels[i] as Label))
  )
}

/**
 * Negative when `a` is asked before `b`: an exact host first, then the one with more fixed labels, parameters
 * before `*`, more labels before fewer; 0 where the order of declaration decides.
 */
export function compareHosts(a: HostPattern, b: HostPattern): number {
  const exact = Number(exactHost(b) !== undefined) - Number(exactHost(a) !== undefined)
  if (exact !== 0) return exact
  const fixed = fixedLabels(b) - fixedLabels(a)
  if (fixed !== 0) return fixed
  return Number(a.isWildcard) - Number(b.isWildcard) || b.labels.length - a.labels.length
}

/** Whether a text that a converter has written can be part of a label. */
export function isLabelText(text: string): boolean {
  return text !== '' && LABEL.test(text)
}

/** Whether `//host` with its port is one that a request can be for. */
export function isHostReference(text: string): boolean {
  return REFERENCE.test(text) && text.replace(/:\d+$/, '').length <= MAX_HOST_LENGTH + 2
}

function fixedLabels({ labels }: HostPattern): number {
  return labels.filter(({ kind }) => kind === 'literal').length
}

function parseLabels(source: Source, from: number, refuse: (problem: string) => Error): Label[] {
  const { pattern } = source
  const labels: Label[] = []
  for (let at = from; at <= pattern.length; ) {
    const end = segmentEnd(pattern, at, '.')
    labels.push(parseLabel(source, at, end, refuse))
    at = end + 1
  }
  const names = parametersOf(labels).map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw refuse(`<${twice}> is there twice`)
  return labels
}

function parseLabel(
  source: Source,
  from: number,
  to: number,
  refuse: (problem: string) => Error,
): Label {
  if (from === to) throw refuse('an empty label: two dots, or one at the beginning')
  const { literals, parameters } = parseParts(source, from, to, (_, start, end) =>
    readText(source.pattern.slice(start, end), refuse),
  )
  if (parameters.length === 0) return { kind: 'literal', text: literals[0] as string }
  const rest = parameters.find(({ converter }) => converter.rest === true)
  if (rest !== undefined) {
    throw refuse(
      `<${rest.type}:${rest.name}> takes the rest of a path; a label of a host has no rest`,
    )
  }
  checkUnambiguous(source, from, literals, parameters)
  return { kind: 'dynamic', literals, parameters }
}

/** As a request names it: small letters, other scripts in their ASCII form (RFC 5890). */
function readText(text: string, refuse: (problem: string) => Error): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything that is no ASCII
  const ascii = /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : domainToASCII(text)
  if (LABEL.test(ascii) && (ascii !== '' || text === '')) return ascii
  if (text.includes('*')) throw refuse('"*" stands alone in front: *.example.org')
  throw refuse(`${JSON.stringify(text)} is of no host: letters, digits, "-" and "_"`)
}
