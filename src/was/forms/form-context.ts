/**
 * A form as its template wants it: every field with its label, value, bounds and error. The partials of
 * `partials.ts` show it; a site's own markup finds each field by name. Made by `form.ts`.
 */
import type { FieldOptions, FormWords, Widget } from './options.ts'
import { type FieldRule, toLocal } from './rules.ts'

/** One thing to choose. */
export interface ChoiceContext {
  readonly id: string
  readonly value: string
  readonly label: string
  readonly isSelected: boolean
  /** Of one of several only with `radio`. */
  readonly isRequired: boolean
}

/** One field of a form. Texts that it does not have are empty, and so are no attributes. */
export interface FieldContext {
  readonly name: string
  readonly id: string
  readonly label: string
  readonly hint: string
  readonly error: string
  readonly errorPrefix: string
  /** Ids of the texts that describe it: `aria-describedby`. */
  readonly describedBy: string
  /** A password's is always empty. */
  readonly value: string
  readonly isRequired: boolean
  /** Of `<input type="…">`. */
  readonly type: string
  readonly rows: string
  readonly placeholder: string
  readonly autocomplete: string
  readonly inputmode: string
  readonly minlength: string
  readonly maxlength: string
  /** In its place where the browser does not check: for a script that counts. */
  readonly dataMax: string
  /** `auto` where people write in any language. */
  readonly dir: string
  readonly min: string
  readonly max: string
  readonly step: string
  readonly pattern: string
  /** Media types of a file. */
  readonly accept: string
  readonly isMany: boolean
  readonly choices: readonly ChoiceContext[]
  /** First line of a choice that may be left out, or that nothing is chosen of yet; empty for none. */
  readonly none: string
  /** Which of them shows it; one is true. */
  readonly isInput: boolean
  readonly isTextarea: boolean
  readonly isSelect: boolean
  readonly isGroup: boolean
  readonly isCheckbox: boolean
  readonly isFile: boolean
}

/** One line of the summary. */
export interface ProblemContext {
  readonly field: string
  readonly message: string
  /** Of the field that it leads to; empty for the form as a whole. */
  readonly id: string
}

/** A form for its template: `{{#form}}{{> uwas/form}}{{/form}}`. */
export interface FormContext {
  /** Path that it is sent to; empty for the page's own. */
  readonly action: string
  readonly method: 'post' | 'get'
  readonly isMultipart: boolean
  /** The browser does not check it. */
  readonly isNovalidate: boolean
  readonly submit: string
  /** Visible fields in the order of the schema. */
  readonly fields: readonly FieldContext[]
  /** All fields by name, for own markup: `{{#form.field.title}}{{> uwas/field}}{{/form.field.title}}`. */
  readonly field: Readonly<Record<string, FieldContext>>
  /** What goes along unseen: hidden fields, and the site's protection against forged forms. */
  readonly hidden: readonly { readonly name: string; readonly value: string }[]
  /** How many things are wrong; empty when nothing is. */
  readonly summary: string
  readonly summaryId: string
  readonly problems: readonly ProblemContext[]
}

/** A field, complete; made when its form is declared. */
export interface Field {
  readonly rule: FieldRule
  readonly options: FieldOptions
  readonly widget: Widget
  readonly id: string
  readonly isMultiline: boolean
  readonly isPassword: boolean
  readonly isChecked: boolean
}

/** What is shown in a field: its texts, and what is wrong with it. */
export interface FieldState {
  readonly texts: readonly string[]
  readonly error: string
}

export function describeField(
  field: Field,
  { texts, error }: FieldState,
  words: FormWords,
): FieldContext {
  const { rule, options, widget, id } = field
  const { name } = rule
  const hint = words.hints?.[name] ?? options.hint ?? ''
  const describedBy = [error && `${id}-error`, hint && `${id}-hint`].filter((part) => part !== '')
  const isGroup = widget === 'radio' || widget === 'checkboxes'
  const isCheckbox = widget === 'checkbox'
  const value = isCheckbox
    ? 'true'
    : widget === 'password' || widget === 'file'
      ? ''
      : (texts[0] ?? '')
  return {
    name,
    id,
    label: words.labels?.[name] ?? options.label ?? humanized(name),
    hint,
    error,
    errorPrefix: words.errorPrefix ?? 'Error:',
    describedBy: describedBy.join(' '),
    value,
    isRequired: rule.isRequired,
    type: widget === 'checkboxes' ? 'checkbox' : widget,
    rows: String(options.rows ?? 6),
    placeholder: options.placeholder ?? '',
    autocomplete: options.autocomplete ?? autocompleteOf(widget),
    inputmode: options.inputMode ?? (rule.kind === 'bigint' ? 'numeric' : ''),
    ...boundsOf(field),
    accept: rule.upload?.types?.join(',') ?? '',
    isMany: rule.isMany,
    choices: choicesOf(field, texts, words),
    none:
      rule.isMany || (rule.isRequired && texts[0] !== undefined && texts[0] !== '')
        ? ''
        : (words.none ?? '–'),
    isInput: !isGroup && !['textarea', 'select', 'checkbox', 'file'].includes(widget),
    isTextarea: widget === 'textarea',
    isSelect: widget === 'select',
    isGroup,
    isCheckbox: isCheckbox,
    isFile: widget === 'file',
  }
}

/** A value as the text that stands for it in the form. */
export function textOf({ rule, widget }: Field, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (!(value instanceof Date)) return String(value)
  const local = toLocal(value)
  return rule.kind === 'date' && widget === 'date' ? local.slice(0, 10) : local
}

/** The bounds that the widget knows; to others they mean nothing. */
function boundsOf({ rule, options, widget, isChecked }: Field) {
  const { minlength, maxlength, min, max, step, pattern } = rule.bounds
  const isNumber = widget === 'number' || widget === 'range'
  const isTime = ['date', 'time', 'datetime-local', 'month', 'week'].includes(widget)
  const hasLength = !isNumber && !isTime
  const most = hasLength ? String(options.maxLength ?? maxlength ?? '') : ''
  return {
    minlength: (hasLength && minlength) || '',
    maxlength: isChecked ? most : '',
    dataMax: isChecked ? '' : most,
    dir: widget === 'text' || widget === 'textarea' || widget === 'search' ? 'auto' : '',
    min: ((isNumber || isTime) && min) || '',
    max: ((isNumber || isTime) && max) || '',
    step: (isNumber && step) || '',
    pattern: (hasLength && widget !== 'textarea' && pattern) || '',
  }
}

function choicesOf(
  { rule, options, id, widget }: Field,
  texts: readonly string[],
  words: FormWords,
): ChoiceContext[] {
  if (widget === 'checkbox') {
    const isSelected = texts.some(
      (text) => !['', 'false', 'off', '0', 'no'].includes(text.toLowerCase()),
    )
    return [{ id, value: 'true', label: '', isSelected, isRequired: rule.isRequired }]
  }
  const labels = words.choices?.[rule.name] ?? options.choices ?? {}
  return [...rule.values.keys()].map((value, i) => ({
    // The summary leads to the first one.
    id: i === 0 ? id : `${id}-${i + 1}`,
    value,
    label: Object.hasOwn(labels, value) ? (labels[value] as string) : humanized(value),
    isSelected: texts.includes(value),
    isRequired: widget === 'radio' && rule.isRequired,
  }))
}

function autocompleteOf(widget: Widget): string {
  return widget === 'email' || widget === 'tel' || widget === 'url' ? widget : ''
}

/** `postCode`, `post_code` → `Post code`. */
function humanized(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').replace(/(?<=[\p{Ll}\d])(?=\p{Lu})/gu, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase()
}
