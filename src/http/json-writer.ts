/**
 * Writes values as their zod schema says, and nothing else: what it does not declare never leaves, and what is not of
 * its type is an error instead of another value. Called by `json()` of `reply.ts`.
 */
import type * as z from 'zod'
import { createError } from '../core/errors.ts'

/** A zod schema of what is sent: its output type. */
export type JsonSchema = z.core.$ZodType

type Def = z.core.$ZodTypes['_zod']['def']
type Write = (value: unknown) => string

/** What stands where something else was declared; its path is found on the way out. */
class Mismatch {
  readonly expected: string
  readonly value: unknown
  path: string

  constructor(expected: string, value: unknown) {
    this.expected = expected
    this.value = value
    this.path = ''
  }

  within(step: string): this {
    this.path = step + this.path
    return this
  }
}

const writers = new WeakMap<JsonSchema, Write>()

/**
 * RFC 8259. Bigints with all their digits, dates in ISO 8601. Compiled at the first use of a schema. Throws
 * UWAS_ERR_HTTP_JSON with the place of what does not fit, and for schemas of what has no JSON form.
 */
export function writeJson(schema: JsonSchema, value: unknown): string {
  try {
    return writerOf(schema)(value)
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    const problem = `value${error.path} is ${kindOf(error.value)}, and its schema says ${error.expected}`
    throw createError('UWAS_ERR_HTTP_JSON', { problem })
  }
}

function writerOf(schema: JsonSchema): Write {
  let writer = writers.get(schema)
  if (writer === undefined) {
    writer = compile(defOf(schema))
    writers.set(schema, writer)
  }
  return writer
}

function defOf(schema: JsonSchema): Def {
  return schema._zod.def as Def
}

function compile(def: Def): Write {
  switch (def.type) {
    case 'string':
    case 'template_literal':
      return (value) => (typeof value === 'string' ? quote(value) : refuse('a string', value))
    case 'number':
      return (value) => (Number.isFinite(value) ? `${value}` : refuse('a finite number', value))
    case 'bigint':
      return (value) => (typeof value === 'bigint' ? `${value}` : refuse('a bigint', value))
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? `${value}` : refuse('a boolean', value))
    case 'null':
      return (value) => (value === null ? 'null' : refuse('null', value))
    case 'date':
      return writeDate
    case 'literal':
      return oneOf(def.values)
    case 'enum':
      return oneOf(Object.values(def.entries))
    case 'any':
    case 'unknown':
    case 'custom':
    case 'transform':
      return writeAny
    default:
      return compileNested(def)
  }
}

/** Recursive schemas name themselves: what is inside is compiled when it is first met. */
function compileNested(def: Def): Write {
  switch (def.type) {
    case 'object':
      return objectOf(def)
    case 'array':
      return arrayOf(def.element)
    case 'tuple':
      return tupleOf(def)
    case 'record':
      return recordOf(def.valueType)
    case 'union':
      return unionOf(def.options)
    case 'nullable':
      return (value) => (value === null ? 'null' : writerOf(def.innerType)(value))
    case 'optional':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly':
      return (value) => writerOf(def.innerType)(value)
    case 'pipe':
      return (value) => writerOf(def.out)(value)
    case 'lazy':
      return (value) => writerOf(def.getter())(value)
    default: {
      const problem = `a schema of type "${def.type}" has no JSON form; say what is sent in its place`
      throw createError('UWAS_ERR_HTTP_JSON', { problem })
    }
  }
}

interface Field {
  readonly key: string
  /** `"key":` */
  readonly name: string
  readonly isOptional: boolean
  readonly write: Write
}

function objectOf({ shape, catchall }: z.core.$ZodObjectDef): Write {
  let fields: Field[] | undefined
  const rest = catchall === undefined ? undefined : defOf(catchall).type
  return (value) => {
    if (!isObject(value)) return refuse('an object', value)
    fields ??= Object.entries(shape).map(([key, schema]) => fieldOf(key, schema))
    let text = ''
    for (const field of fields) text += memberOf(field, value[field.key])
    if (catchall !== undefined) {
      for (const key of Object.keys(value)) {
        if (Object.hasOwn(shape, key)) continue
        if (rest === 'never') throw new Mismatch('nothing', value[key]).within(stepOf(key))
        text += memberOf(fieldOf(key, catchall), value[key])
      }
    }
    return `{${text.slice(1)}}`
  }
}

function fieldOf(key: string, schema: JsonSchema): Field {
  const name = `,${JSON.stringify(key)}:`
  return { key, name, isOptional: isOptional(schema), write: writerOf(schema) }
}

function memberOf({ key, name, isOptional, write }: Field, value: unknown): string {
  if (value === undefined && isOptional) return ''
  try {
    return name + write(value)
  } catch (error) {
    throw error instanceof Mismatch ? error.within(stepOf(key)) : error
  }
}

function arrayOf(element: JsonSchema): Write {
  let write: Write | undefined
  return (value) => {
    if (!Array.isArray(value)) return refuse('a list', value)
    write ??= writerOf(element)
    let text = ''
    for (let i = 0; i < value.length; i++) text += itemOf(write, value[i], i)
    return `[${text.slice(1)}]`
  }
}

function itemOf(write: Write, value: unknown, index: number): string {
  try {
    return `,${write(value)}`
  } catch (error) {
    throw error instanceof Mismatch ? error.within(`[${index}]`) : error
  }
}

function tupleOf({ items, rest }: z.core.$ZodTupleDef): Write {
  const expected = `a list of ${items.length}${rest === null ? '' : ' or more'}`
  return (value) => {
    if (!Array.isArray(value)) return refuse(expected, value)
    const fits = rest === null ? value.length === items.length : value.length >= items.length
    if (!fits) return refuse(expected, value)
    const texts = value.map((each, i) =>
      itemOf(writerOf((items[i] ?? rest) as JsonSchema), each, i),
    )
    return `[${texts.join('').slice(1)}]`
  }
}

function recordOf(schema: JsonSchema): Write {
  return (value) => {
    if (!isObject(value)) return refuse('an object', value)
    let text = ''
    for (const key of Object.keys(value)) text += memberOf(fieldOf(key, schema), value[key])
    return `{${text.slice(1)}}`
  }
}

/** The first that fits counts, as when zod parses. */
function unionOf(options: readonly JsonSchema[]): Write {
  return (value) => {
    const fitting = options.filter((schema) => mayBe(schema, value))
    for (const schema of fitting.slice(0, -1)) {
      try {
        return writerOf(schema)(value)
      } catch (error) {
        if (!(error instanceof Mismatch)) throw error
      }
    }
    const last = fitting.at(-1)
    return last === undefined ? refuse('something else', value) : writerOf(last)(value)
  }
}

/** Whether it is worth to look closer: tells options of a union apart by their kind and their literals. */
function mayBe(schema: JsonSchema, value: unknown): boolean {
  const def = defOf(schema)
  switch (def.type) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return typeof value === def.type
    case 'null':
      return value === null
    case 'literal':
      return def.values.includes(value as z.core.util.Literal)
    case 'object':
      return isObject(value) && Object.entries(def.shape).every(([key, s]) => maySay(s, value[key]))
    default:
      return true
  }
}

function maySay(schema: JsonSchema, value: unknown): boolean {
  return defOf(schema).type !== 'literal' || mayBe(schema, value)
}

function isOptional(schema: JsonSchema): boolean {
  const def = defOf(schema)
  if (def.type === 'nullable' || def.type === 'readonly') return isOptional(def.innerType)
  if (def.type === 'union') return def.options.some(isOptional)
  return ['optional', 'any', 'unknown', 'custom', 'undefined', 'transform'].includes(def.type)
}

function oneOf(values: readonly unknown[]): Write {
  const texts = new Map(values.map((each) => [each, textOf(each)]))
  const expected = `one of ${[...texts.values()].join(', ')}`
  return (value) => texts.get(value) ?? refuse(expected, value)
}

function textOf(literal: unknown): string {
  return typeof literal === 'bigint' ? `${literal}` : JSON.stringify(literal)
}

function writeDate(value: unknown): string {
  const isDate = value instanceof Date && !Number.isNaN(value.getTime())
  return isDate ? `"${value.toISOString()}"` : refuse('a date', value)
}

function writeAny(value: unknown): string {
  return JSON.stringify(value) ?? refuse('something with a JSON form', value)
}

/** Nothing in it has to be escaped. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\ud7ff\ue000-\uffff]*$/

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function stepOf(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

function refuse(expected: string, value: unknown): never {
  throw new Mismatch(expected, value)
}

/** What it is, and never the value itself: errors are logged. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid date' : 'a date'
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
