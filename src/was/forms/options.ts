/** What a site says of a form's fields beyond their schema: checked when the form is declared. Used by `form.ts`. */
import { hintNearest } from '../../core/nearest.ts'
import type { Request } from '../../http/request.ts'
import { formError } from './form-error.ts'
import type { FormProblem } from './problems.ts'
import type { FieldRule } from './rules.ts'

/** How a field is shown. */
export type Widget =
  | 'text'
  | 'textarea'
  | 'password'
  | 'email'
  | 'url'
  | 'tel'
  | 'search'
  | 'number'
  | 'range'
  | 'color'
  | 'date'
  | 'time'
  | 'datetime-local'
  | 'month'
  | 'week'
  | 'select'
  | 'radio'
  | 'checkbox'
  | 'checkboxes'
  | 'file'
  | 'hidden'

/** What is to be said of a field beyond its schema. */
export interface FieldOptions {
  /** Default: the name in words, `postCode` is `Post code`. */
  readonly label?: string | undefined
  /** Stands at the field and is read with it. Default none. */
  readonly hint?: string | undefined
  /** Default: by the schema; a choice is a `select`, several are `checkboxes`, other texts one line. */
  readonly widget?: Widget | undefined
  /** Of a `textarea`. Default 6. */
  readonly rows?: number | undefined
  /** What the browser may fill in (HTML standard, section 4.10.18.7): `email`, `new-password`, `off`. */
  readonly autocomplete?: string | undefined
  /** The keyboard of a phone. Default: by the widget; `numeric` for a `bigint`. */
  readonly inputMode?: string | undefined
  readonly placeholder?: string | undefined
  /** Words for each value that can be chosen. Default: the value. */
  readonly choices?: Readonly<Record<string, string>> | undefined
  /** Characters to show, where the schema has its own way to count them. Default: the schema's. */
  readonly maxLength?: number | undefined
}

/** The words of a form in one language. Default: those of the fields' options, and English. */
export interface FormWords {
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly hints?: Readonly<Record<string, string>> | undefined
  /** By field, then by value. */
  readonly choices?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined
  /** Of a problem that the schema has no words for itself; undefined for the English ones. */
  readonly problem?: ((problem: FormProblem) => string | undefined) | undefined
  /** Over the list of problems, by their number. */
  readonly summary?: ((count: number) => string) | undefined
  /** Read out before each field's error. Default `Error:`. */
  readonly errorPrefix?: string | undefined
  /** On the button. Default `Send`. */
  readonly submit?: string | undefined
  /** First line of a choice that may be left out. Default `–`. */
  readonly none?: string | undefined
}

/** What a form is beyond its schema. */
export interface FormOptions<Name extends string = string> {
  readonly fields?: { readonly [N in Name]?: FieldOptions } | undefined
  /** Words in the language of the request. */
  readonly words?: ((req: Request) => FormWords) | undefined
  /** Stands before the id of each field, where a page has two forms. Default none. */
  readonly idPrefix?: string | undefined
  /**
   * Whether the browser holds a form back until its own checks pass. Else the server alone says what is wrong, in
   * the site's words, and nothing is cut off while it is typed: `data-max` takes the place of `maxlength`.
   * Default true.
   */
  readonly browserChecks?: boolean | undefined
}

const FIELD_KEYS: readonly (keyof FieldOptions)[] = [
  'label',
  'hint',
  'widget',
  'rows',
  'autocomplete',
  'inputMode',
  'placeholder',
  'choices',
  'maxLength',
]
const FORM_KEYS: readonly string[] = ['fields', 'words', 'idPrefix', 'browserChecks', 'only']

/** Throws UWAS_ERR_WAS_FORM. */
export function checkOptions(form: string, options: object, names: readonly string[]): void {
  refuseUnknown(form, 'option', Object.keys(options), FORM_KEYS)
  const { fields = {} } = options as FormOptions
  refuseUnknown(form, 'field', Object.keys(fields), names)
  for (const [name, field] of Object.entries(fields)) {
    refuseUnknown(`${form}, field ${name}`, 'option', Object.keys(field ?? {}), FIELD_KEYS)
  }
}

function refuseUnknown(
  form: string,
  what: string,
  given: readonly string[],
  known: readonly string[],
): void {
  const unknown = given.find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw formError(form, `unknown ${what} "${unknown}"${hintNearest(unknown, known)}`)
}

const TEXTS: readonly Widget[] = [
  'text',
  'textarea',
  'password',
  'email',
  'url',
  'tel',
  'search',
  'color',
  'date',
  'time',
  'datetime-local',
  'month',
  'week',
  'hidden',
]
const FITTING: Readonly<Record<FieldRule['kind'], readonly Widget[]>> = {
  text: TEXTS,
  number: ['number', 'range', 'text', 'hidden'],
  bigint: ['text', 'number', 'hidden'],
  boolean: ['checkbox', 'hidden'],
  date: ['datetime-local', 'date', 'text', 'hidden'],
  choice: ['select', 'radio', 'hidden'],
  file: ['file'],
}
const MANY: readonly Widget[] = ['checkboxes', 'select']
const BY_FORMAT: Readonly<Record<string, Widget>> = {
  email: 'email',
  url: 'url',
  date: 'date',
  time: 'time',
  datetime: 'datetime-local',
}

/** The widget that is wished for, or that goes by the schema. Throws UWAS_ERR_WAS_FORM for one that cannot show it. */
export function widgetOf(form: string, rule: FieldRule, wish: Widget | undefined): Widget {
  const { name, kind, isMany, format } = rule
  const fitting = isMany && kind === 'choice' ? MANY : FITTING[kind]
  if (wish === undefined)
    return (kind === 'text' ? BY_FORMAT[format] : undefined) ?? (fitting[0] as Widget)
  if (fitting.includes(wish)) return wish
  throw formError(
    form,
    `field ${name}: the widget "${wish}" cannot show it; ${fitting.join(', ')} can`,
  )
}
