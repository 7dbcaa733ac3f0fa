/**
 * What a zod schema says of each field of a form: its kind, whether it may be empty, its bounds as HTML
 * knows them. The schema is read once, when the form is declared. Called by `form.ts`.
 */
import type * as z from 'zod'
import { type UploadRule, uploadRuleOf } from './upload-schema.ts'

/** What a field's text stands for. */
export type FieldKind = 'text' | 'number' | 'bigint' | 'boolean' | 'date' | 'choice' | 'file'

/** Bounds in the form of HTML attributes (HTML standard, section 4.10.5.3); only those that the schema has. */
export interface Bounds {
  readonly minlength?: string
  readonly maxlength?: string
  readonly min?: string
  readonly max?: string
  readonly step?: string
  readonly pattern?: string
}

/** One field, as its schema has it. */
export interface FieldRule {
  readonly name: string
  readonly kind: FieldKind
  /** It has a list of values: several boxes, several files. */
  readonly isMany: boolean
  readonly isRequired: boolean
  /** What a field that was left empty is. */
  readonly empty: null | undefined
  /** Of a text: `email`, `url`, `date`, `time`, `datetime`; else empty. */
  readonly format: string
  readonly bounds: Bounds
  /** Values that can be chosen, by the text that stands for each. */
  readonly values: ReadonlyMap<string, unknown>
  readonly upload: UploadRule | null
  /** The schema's own default. */
  readonly initial: unknown
}

type Schema = z.core.$ZodType
/** What schemas and checks are made of; which of these members one has depends on its type. */
interface Def {
  readonly type?: string
  readonly check?: string
  readonly format?: string
  readonly pattern?: RegExp
  readonly innerType?: Schema
  readonly in?: Schema
  readonly out?: Schema
  readonly element?: Schema
  readonly options?: readonly Schema[]
  readonly entries?: Readonly<Record<string, string | number>>
  readonly values?: readonly unknown[]
  readonly checks?: readonly { readonly _zod: { readonly def: Def } }[]
  readonly defaultValue?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly length?: number
  readonly value?: unknown
  readonly inclusive?: boolean
}

interface Unwrapped {
  readonly schema: Schema
  readonly isOptional: boolean
  readonly isNullable: boolean
  readonly initial: unknown
}

/** The schemas of an object by field; undefined for what is no object. */
export function shapeOf(schema: unknown): Readonly<Record<string, Schema>> | undefined {
  const def = (schema as { _zod?: { def?: { type?: string; shape?: Record<string, Schema> } } })
    ?._zod?.def
  return def?.type === 'object' ? def.shape : undefined
}

/** Undefined for what has no place in a form: an object in an object, a list of free texts. */
export function readRule(name: string, given: Schema): FieldRule | undefined {
  const { schema, isOptional, isNullable, initial } = unwrap(given)
  const def = defOf(schema)
  const isMany = def.type === 'array' && def.element !== undefined
  const inner = isMany ? unwrap(def.element as Schema).schema : schema
  const kind = kindOf(inner)
  if (kind === undefined || (isMany && kind.kind !== 'choice' && kind.kind !== 'file')) return
  const checks = [defOf(inner), ...checksOf(defOf(inner))]
  const mayBeEmpty = isOptional || isNullable
  return {
    name,
    isMany,
    isRequired: isMany
      ? needsOne(def)
      : isAlwaysNeeded(inner) || (kind.kind !== 'boolean' && !mayBeEmpty),
    empty: isNullable ? null : undefined,
    format: kind.kind === 'text' ? formatOf(checks) : '',
    bounds: boundsOf(kind.kind, checks),
    upload: uploadRuleOf(inner) ?? null,
    initial,
    ...kind,
  }
}

/** Without what stands around it: optional, nullable, a default, a transformation of its result. */
function unwrap(given: Schema): Unwrapped {
  let schema = given
  let isOptional = false
  let isNullable = false
  let initial: unknown
  for (;;) {
    const { type, innerType, in: from, out, defaultValue } = defOf(schema)
    if (type === 'optional' || type === 'default' || type === 'prefault' || type === 'catch') {
      isOptional = true
    }
    if (type === 'nullable') isNullable = true
    if (type === 'default' || type === 'prefault') initial = defaultValue
    const next =
      type === 'pipe' ? (defOf(from as Schema).type === 'transform' ? out : from) : innerType
    if (next === undefined) return { schema, isOptional, isNullable, initial }
    schema = next
  }
}

function kindOf(schema: Schema): Pick<FieldRule, 'kind' | 'values'> | undefined {
  const none = new Map<string, unknown>()
  if (uploadRuleOf(schema) !== undefined) return { kind: 'file', values: none }
  const { type, entries, values, options } = defOf(schema)
  switch (type) {
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'date':
      return { kind: type, values: none }
    case 'enum':
      return { kind: 'choice', values: byText(Object.values(entries ?? {})) }
    case 'literal':
      if (values?.every((value) => typeof value === 'boolean'))
        return { kind: 'boolean', values: none }
      return { kind: 'choice', values: byText(values ?? []) }
    case 'union': {
      const all = (options ?? []).map((option) => defOf(option))
      const isChoice = all.every((option) => option.type === 'literal')
      return isChoice
        ? { kind: 'choice', values: byText(all.flatMap((option) => option.values ?? [])) }
        : undefined
    }
    case 'object':
    case 'record':
    case 'array':
    case 'tuple':
    case 'map':
    case 'set':
    case 'intersection':
      return undefined
    default:
      return { kind: 'text', values: none }
  }
}

function byText(values: readonly unknown[]): Map<string, unknown> {
  return new Map(values.map((value) => [String(value), value]))
}

/** `z.literal(true)`: a box that has to be ticked. */
function isAlwaysNeeded(schema: Schema): boolean {
  const { type, values } = defOf(schema)
  return type === 'literal' && values?.length === 1 && values[0] === true
}

function needsOne(def: Def): boolean {
  return checksOf(def).some(
    ({ check, minimum = 0, length = 0 }) =>
      (check === 'min_length' && minimum > 0) || (check === 'length_equals' && length > 0),
  )
}

function formatOf(checks: readonly Def[]): string {
  const known = ['email', 'url', 'date', 'time', 'datetime']
  return checks.map(({ format }) => format ?? '').find((format) => known.includes(format)) ?? ''
}

function boundsOf(kind: FieldKind, checks: readonly Def[]): Bounds {
  const bounds: Record<string, string> = {}
  const isWhole =
    kind === 'bigint' ||
    checks.some(({ check, format }) => check === 'number_format' && /int/.test(format ?? ''))
  let step: unknown
  for (const { check, format, pattern, minimum, maximum, length, value, inclusive } of checks) {
    const next = inclusive !== true && isWhole ? 1 : 0
    if (check === 'min_length' || check === 'length_equals')
      bounds['minlength'] = `${minimum ?? length}`
    if (check === 'max_length' || check === 'length_equals')
      bounds['maxlength'] = `${maximum ?? length}`
    if (check === 'greater_than') bounds['min'] = edge(value, next)
    if (check === 'less_than') bounds['max'] = edge(value, -next)
    if (check === 'multiple_of') step = value
    if (check === 'string_format' && format === 'regex') Object.assign(bounds, patternOf(pattern))
  }
  if (kind === 'number') bounds['step'] = String(step ?? (isWhole ? 1 : 'any'))
  return bounds
}

/** A bound that is not allowed itself: of whole numbers the next one is; of others it passes the browser, not the server. */
function edge(value: unknown, by: number): string {
  if (value instanceof Date) return toLocal(value)
  if (typeof value === 'bigint') return String(value + BigInt(by))
  return String((value as number) + by)
}

/** As `datetime-local` has it, in UTC. */
export function toLocal(date: Date): string {
  return date.toISOString().replace(/(?::00)?\.000Z$|Z$/, '')
}

/**
 * The expression as `pattern` has it: it fits the whole value, and is read with the flag `v`. Nothing for one
 * that could not say the same there.
 */
function patternOf(pattern: RegExp | undefined): { pattern?: string } {
  if (pattern === undefined || /[^uv]/.test(pattern.flags)) return {}
  const whole = /^\^(?<inner>.*[^\\]|)\$$/s.exec(pattern.source)?.groups?.['inner']
  const isWhole = whole !== undefined && !whole.includes('|')
  const source = isWhole ? whole : `.*(?:${pattern.source}).*`
  try {
    new RegExp(source, 'v')
    return { pattern: source }
  } catch {
    return {}
  }
}

function checksOf(def: Def): Def[] {
  return (def.checks ?? []).map(({ _zod }) => _zod.def)
}

function defOf(schema: Schema): Def {
  return schema._zod.def as unknown as Def
}
