/**
 * A form as it was sent → a value for each field of its rules. What a browser never sends is a problem of
 * its field, not of the server. Called by `form.ts`.
 */
import type { Request } from '../../http/request.ts'
import { multipart, type Upload } from '../upload/multipart.ts'
import type { FormProblem } from './problems.ts'
import type { FieldRule } from './rules.ts'

/** What came, before it is judged. */
export interface Sent {
  /** All texts of a field. */
  readonly texts: (name: string) => readonly string[]
  readonly files: (name: string) => readonly Upload[]
}

export interface ReadFields {
  /** For the schema. Fields with a problem are not in it. */
  readonly values: Record<string, unknown>
  readonly problems: readonly FormProblem[]
  /** Clean texts, for the form that is shown again. */
  readonly texts: ReadonlyMap<string, readonly string[]>
}

export interface ReadableField {
  readonly rule: FieldRule
  readonly isMultiline: boolean
  readonly isPassword: boolean
}

const NO_FILES: readonly Upload[] = []
const MULTIPART = /^\s*multipart\/form-data\s*(?:;|$)/i

/**
 * The query of GET and HEAD, else the body. Rejects as `req.form()` and `multipart` do: 400, 413, 415.
 */
export async function readSent(req: Request): Promise<Sent> {
  if (req.method === 'GET' || req.method === 'HEAD') return ofFields(req.query)
  if (!MULTIPART.test(req.header('content-type') ?? '')) return ofFields(await req.form())
  const { fields, files } = await multipart(req)
  return {
    ...ofFields(fields),
    files: (name) => files.filter((file) => file.name === name),
  }
}

function ofFields(fields: URLSearchParams): Sent {
  return { texts: (name) => fields.getAll(name), files: () => NO_FILES }
}

export function readFields(fields: readonly ReadableField[], sent: Sent): ReadFields {
  const values: [string, unknown][] = []
  const problems: FormProblem[] = []
  const texts = new Map<string, readonly string[]>()
  for (const field of fields) {
    const { rule } = field
    const { name, kind, isMany } = rule
    if (kind === 'file') {
      const files = sent.files(name)
      if (files.length > 1 && !isMany) problems.push({ field: name, kind: 'repeated' })
      else values.push([name, isMany ? files : (files[0] ?? rule.empty)])
      continue
    }
    const clean = sent.texts(name).map((text) => cleanText(text, field))
    texts.set(name, clean)
    const problem = clean.map(textProblem).find((found) => found !== undefined)
    if (problem !== undefined) problems.push({ field: name, kind: problem })
    else if (clean.length > 1 && !isMany) problems.push({ field: name, kind: 'repeated' })
    else
      values.push([
        name,
        isMany ? clean.map((text) => readValue(rule, text)) : single(rule, clean[0]),
      ])
  }
  // Own properties of any name: `__proto__` is one like the others.
  return { values: Object.fromEntries(values), problems, texts }
}

function single(rule: FieldRule, text: string | undefined): unknown {
  if (rule.kind === 'boolean') return readValue(rule, text ?? '')
  return text === undefined || text === '' ? rule.empty : readValue(rule, text)
}

/** What is no value of the kind goes on as it is: the schema says what would be. */
function readValue({ kind, values }: FieldRule, text: string): unknown {
  switch (kind) {
    case 'number':
      return NUMBER.test(text) ? Number(text) : Number.NaN
    case 'bigint':
      return WHOLE.test(text) ? BigInt(text) : text
    case 'boolean':
      return BOOLEANS.get(text.toLowerCase()) ?? text
    case 'date':
      return dateOf(text)
    case 'choice':
      return values.has(text) ? values.get(text) : text
    default:
      return text
  }
}

/** HTML standard, section 2.3.4.3, "valid floating-point number". */
const NUMBER = /^-?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?$/i
/** Longer ones would take their time to read. */
const WHOLE = /^-?\d{1,1000}$/
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['', false],
  ['false', false],
  ['off', false],
  ['0', false],
  ['no', false],
  ['true', true],
  ['on', true],
  ['1', true],
  ['yes', true],
])
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)?(?<zone>Z|[+-]\d\d:\d\d)?$/

/** A moment; without a zone it is UTC. A day that is not in the calendar is none. */
function dateOf(text: string): Date | string {
  const zone = DATE.exec(text)?.groups
  if (zone === undefined) return text
  const written = text.replace(' ', 'T')
  const day = new Date(written.slice(0, 10))
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== written.slice(0, 10))
    return text
  const isDay = written.length === 10
  const date = new Date(isDay || zone['zone'] !== undefined ? written : `${written}Z`)
  return Number.isNaN(date.getTime()) ? text : date
}

/** Blank to the eye: spaces, and characters that are drawn as nothing. */
const BLANK = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]*$/u
/** Controls but for tab and line feed; what was sent as no UTF-8 has become U+FFFD. */
const CONTROL = /(?![\n\t])\p{Cc}|\p{Cs}/u

/** As people mean it: composed (NFC), one kind of newline, without space around it. A password is as typed. */
function cleanText(typed: string, { rule, isMultiline, isPassword }: ReadableField): string {
  if (isPassword) return typed
  const text = typed.replace(/\r\n?/g, '\n').normalize('NFC').trim()
  if (rule.kind === 'text' && BLANK.test(text)) return ''
  return isMultiline ? text : text.replace(/[\n\t]+/g, ' ')
}

function textProblem(text: string): 'control' | 'unreadable' | undefined {
  if (CONTROL.test(text)) return 'control'
  return text.includes('\ufffd') ? 'unreadable' : undefined
}
