/**
 * A form declared once, from a schema or a table: reads what a browser sends, and gives the data of its page,
 * errors included. Nothing of it needs JavaScript. Made at module level by sites, and by `formView`.
 */
import type * as z from 'zod'
import type { Request } from '../../http/request.ts'
import type { Columns, Insert } from '../../model/table/columns.ts'
import { Table } from '../../model/table/table.ts'
import { CSRF_FIELD, csrfToken } from '../csrf/csrf.ts'
import {
  describeField,
  type Field,
  type FieldContext,
  type FormContext,
  type ProblemContext,
  textOf,
} from './form-context.ts'
import { formError } from './form-error.ts'
import { checkOptions, type FormOptions, type FormWords, widgetOf } from './options.ts'
import { type FormProblem, inEnglish, problemOf } from './problems.ts'
import { readFields, readSent } from './read.ts'
import { readRule, shapeOf } from './rules.ts'

/** A form that was filled in. */
export type Submission<T> = ValidSubmission<T> | InvalidSubmission

/** Everything is right with it. */
export interface ValidSubmission<T> {
  readonly isValid: true
  readonly values: T
  /** Clean texts by field. */
  readonly texts: ReadonlyMap<string, readonly string[]>
}

/** Something is wrong with it. */
export interface InvalidSubmission {
  readonly isValid: false
  /** What was written, clean: the form shows it again. */
  readonly texts: ReadonlyMap<string, readonly string[]>
  /** The first message of each field, in the words of the request; under '' what is wrong as a whole. */
  readonly problems: Readonly<Record<string, string>>
}

/** What a page says of its form. */
export interface FormContextOptions {
  /** Default: the page's own path. */
  readonly action?: string | undefined
  /** Default `post`; `get` for a search. */
  readonly method?: 'post' | 'get' | undefined
  /** On the button. Default: the form's words. */
  readonly submit?: string | undefined
}

const WHOLE = ''

/** A form; made by `form`. */
export class Form<T> {
  readonly #schema: z.ZodType<T>
  readonly #fields: readonly Field[]
  readonly #words: (req: Request) => FormWords
  readonly #idPrefix: string
  readonly #browserChecks: boolean

  constructor(schema: z.ZodType<T>, options: FormOptions, title: string) {
    const shape = shapeOf(schema)
    if (shape === undefined) throw formError(title, 'its schema is no z.object()')
    checkOptions(title, options, Object.keys(shape))
    const { fields = {}, words = () => ({}), idPrefix = '', browserChecks = true } = options
    this.#schema = schema
    this.#words = words
    this.#idPrefix = idPrefix
    this.#browserChecks = browserChecks
    this.#fields = Object.entries(shape).map(([name, inner]) => {
      const rule = readRule(name, inner)
      if (rule === undefined) {
        throw formError(
          title,
          `field ${name} has no place in a form: it is neither a text, a number, a choice, a file nor a list of choices or files`,
        )
      }
      const own = (fields as Record<string, (typeof fields)[string]>)[name] ?? {}
      const widget = widgetOf(title, rule, own.widget)
      return {
        rule,
        options: own,
        widget,
        id: idPrefix + name,
        isMultiline: widget === 'textarea' || widget === 'hidden',
        isPassword: widget === 'password',
        isChecked: browserChecks,
      }
    })
  }

  /** Names of the fields. */
  get names(): readonly string[] {
    return this.#fields.map(({ rule }) => rule.name)
  }

  /**
   * Reads and checks what was sent: an HTML form, urlencoded or with files; of GET the query. Fields that
   * the form does not have are passed over; one that stands twice is wrong. A body that is no form at all
   * rejects as `req.form()` and `multipart` do (400, 413, 415).
   */
  async read(req: Request): Promise<Submission<T>> {
    const { values, problems: first, texts } = readFields(this.#fields, await readSent(req))
    const say = this.#sayer(req)
    const problems: Record<string, string> = Object.create(null) as Record<string, string>
    for (const problem of first) problems[problem.field] ??= say(problem)
    const checked = await this.#schema.safeParseAsync(values, {
      error: (issue) => say(problemOf(issue)),
    })
    for (const { path, message } of checked.error?.issues ?? []) {
      problems[String(path[0] ?? WHOLE)] ??= message
    }
    if (checked.success && first.length === 0) return { isValid: true, values: checked.data, texts }
    return { isValid: false, texts, problems }
  }

  /** A submission with problems that only the saving has found, by field; `''` is the form as a whole. */
  refuse(sent: Submission<T>, problems: Readonly<Record<string, string>>): InvalidSubmission {
    return { isValid: false, texts: sent.texts, problems }
  }

  /** The form for its template, with these values in it. Default: those of its schema. */
  blank(req: Request, values: object = {}, options: FormContextOptions = {}): FormContext {
    const given = values as Readonly<Record<string, unknown>>
    const texts = new Map(
      this.#fields.map((field) => {
        const { name, initial } = field.rule
        const value = (Object.hasOwn(given, name) ? given[name] : undefined) ?? initial
        const all: readonly unknown[] = Array.isArray(value) ? value : [value]
        return [name, all.map((one) => textOf(field, one))]
      }),
    )
    return this.#context(req, texts, {}, options)
  }

  /** The form as it was sent, with what is wrong. Passwords and files are empty again. */
  filled(req: Request, sent: Submission<T>, options: FormContextOptions = {}): FormContext {
    return this.#context(req, sent.texts, sent.isValid ? {} : sent.problems, options)
  }

  #context(
    req: Request,
    texts: ReadonlyMap<string, readonly string[]>,
    errors: Readonly<Record<string, string>>,
    { action = '', method = 'post', submit }: FormContextOptions,
  ): FormContext {
    const words = this.#words(req)
    const errorOf = (name: string) => (Object.hasOwn(errors, name) ? (errors[name] as string) : '')
    const all = this.#fields.map((field) => {
      const { name } = field.rule
      return describeField(field, { texts: texts.get(name) ?? [], error: errorOf(name) }, words)
    })
    const isHidden = ({ type }: FieldContext) => type === 'hidden'
    const problems = this.#problems(all, errors)
    const token = method === 'post' ? csrfToken(req) : ''
    const tokens = token === '' ? [] : [{ name: CSRF_FIELD, value: token }]
    return {
      action,
      method,
      isMultipart: this.#fields.some(({ rule }) => rule.kind === 'file'),
      isNovalidate: !this.#browserChecks,
      submit: submit ?? words.submit ?? 'Send',
      fields: all.filter((field) => !isHidden(field)),
      field: Object.fromEntries(all.map((field) => [field.name, field])),
      hidden: [...all.filter(isHidden), ...tokens].map(({ name, value }) => ({
        name,
        value,
      })),
      summary: problems.length === 0 ? '' : (words.summary ?? summaryInEnglish)(problems.length),
      summaryId: `${this.#idPrefix}summary`,
      problems,
    }
  }

  /** In the order of the fields; those of the form as a whole, and of what it does not show, come first. */
  #problems(
    all: readonly FieldContext[],
    errors: Readonly<Record<string, string>>,
  ): ProblemContext[] {
    const shown = all.filter(({ type, error }) => type !== 'hidden' && error !== '')
    const names = new Set(shown.map(({ name }) => name))
    const whole = Object.entries(errors).filter(([name]) => !names.has(name))
    return [
      ...whole.map(([field, message]) => ({ field, message, id: '' })),
      ...shown.map(({ name, error, id }) => ({ field: name, message: error, id })),
    ]
  }

  #sayer(req: Request): (problem: FormProblem) => string {
    const { problem: own } = this.#words(req)
    return (problem) => own?.(problem) ?? inEnglish(problem)
  }
}

function summaryInEnglish(count: number): string {
  return count === 1 ? 'One thing to put right' : `${count} things to put right`
}

/**
 * Declares a form. Of a schema (`z.object`), or of a table, whose row it makes; of a table only the columns
 * that `only` names, so that nobody sets others. Throws UWAS_ERR_WAS_FORM.
 */
export function form<T extends object>(
  schema: z.ZodType<T>,
  options?: FormOptions<keyof T & string>,
): Form<T>
export function form<
  C extends Columns,
  K extends keyof C & string,
  const N extends keyof Insert<C> & string,
>(
  table: Table<C, K>,
  options: FormOptions<N> & { readonly only: readonly N[] },
): Form<Pick<Insert<C>, N>>
export function form(
  source: z.ZodType | Table<Columns, string>,
  options: FormOptions & { readonly only?: readonly string[] } = {},
): Form<unknown> {
  if (source instanceof Table) return ofTable(source, options)
  if (options.only !== undefined)
    throw formError('a form', '"only" is for tables; of a schema take schema.pick()')
  return new Form(source, options, 'a form')
}

function ofTable(
  { name, validators }: Table<Columns, string>,
  options: FormOptions & { readonly only?: readonly string[] },
): Form<unknown> {
  const title = `the form of the table ${name}`
  const { only } = options
  if (only === undefined) throw formError(title, 'say with "only" which columns it has')
  const schema = validators.insert as unknown as z.ZodObject
  const unknown = only.find((column) => !Object.hasOwn(schema.shape, column))
  if (unknown !== undefined) {
    throw formError(
      title,
      `it has no column to set "${unknown}"; it has ${Object.keys(schema.shape).join(', ')}`,
    )
  }
  return new Form(
    schema.pick(Object.fromEntries(only.map((column) => [column, true])) as Record<string, never>),
    options,
    title,
  )
}
