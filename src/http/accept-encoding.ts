/**
 * Accept-Encoding (RFC 9110 section 12.5.3): which content codings a client takes, and how gladly.
 * Static files and dynamic replies choose their coding with it. Pure but for a bounded memory of fields.
 */
import { trimBlanks } from './headers.ts'

/** Codings that uwas writes, by their registered names. */
export type Coding = 'br' | 'gzip' | 'zstd'

/** Weights from 0 (not acceptable) to 1000, per coding and for no coding at all. */
export interface Accepted {
  readonly br: number
  readonly gzip: number
  readonly zstd: number
  /** `DEFAULT_IDENTITY` where the field says nothing of it. */
  readonly identity: number
}

/** Acceptable, but less than anything that was asked for. */
export const DEFAULT_IDENTITY = 0.5

/** What a client without the field gets: the content as it is. */
const IDENTITY_ONLY: Accepted = { br: 0, gzip: 0, zstd: 0, identity: DEFAULT_IDENTITY }

const MEMBER = /^([!#$%&'*+\-.^_`|~0-9a-z]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i

/** Clients send a few dozen different values; longer ones, and more, are read anew each time. */
const MAX_KEPT = 256
const MAX_KEPT_LENGTH = 128
const kept = new Map<string, Accepted>()
let lastField = ''
let lastAccepted = IDENTITY_ONLY

/** As `parseAcceptEncoding`, remembering the fields that come again and again. */
export function acceptedCodings(field: string): Accepted {
  if (field === lastField) return lastAccepted
  let accepted = kept.get(field)
  if (accepted === undefined) {
    accepted = parseAcceptEncoding(field)
    if (field.length <= MAX_KEPT_LENGTH && kept.size < MAX_KEPT) kept.set(field, accepted)
  }
  lastField = field
  lastAccepted = accepted
  return accepted
}

/**
 * Reads the field; several of one name joined by commas. `*` stands for every coding that is not named,
 * identity included. A field that is empty, or malformed anywhere, asks for no coding. Of a coding that
 * is named twice the first counts; `x-gzip` is gzip (section 8.4.1.3).
 */
export function parseAcceptEncoding(field: string): Accepted {
  const weights = new Map<string, number>()
  for (const member of field.split(',')) {
    const trimmed = trimBlanks(member)
    if (trimmed === '') continue
    const match = MEMBER.exec(trimmed)
    if (match === null) return IDENTITY_ONLY
    const coding = nameOf((match[1] as string).toLowerCase())
    if (!weights.has(coding)) weights.set(coding, Math.round(Number(match[2] ?? 1) * 1000))
  }
  const others = weights.get('*')
  const weightOf = (coding: string) => weights.get(coding) ?? others ?? 0
  return {
    br: weightOf('br'),
    gzip: weightOf('gzip'),
    zstd: weightOf('zstd'),
    identity: weights.get('identity') ?? others ?? DEFAULT_IDENTITY,
  }
}

function nameOf(coding: string): string {
  return coding === 'x-gzip' ? 'gzip' : coding
}
