/** What visitors type, made clean and checked: one field at a time. Used by `submission.ts`. */

export interface TextRule {
  /** In Unicode code points, counted after cleaning. */
  readonly maxLength: number
  /** Newlines stay; otherwise they become spaces. */
  readonly multiline: boolean
}

/** What is wrong with a field; `by` says how many code points it is too long. */
export type TextProblem =
  | { readonly kind: 'empty' }
  | { readonly kind: 'long'; readonly by: number }
  | { readonly kind: 'control' }

/** Blank to the eye: spaces, characters that are drawn as nothing (U+3164 HANGUL FILLER), blank braille. */
const BLANK = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]*$/u
/** Control characters except newline and tab, and the marks that turn the direction of what follows. */
const REFUSED = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]|\p{Cs}/u

/** Brings typed text into the form in which it is checked and kept: NFC, `\n` newlines, trimmed. */
export function cleanText(typed: string, rule: TextRule): string {
  const text = typed.replace(/\r\n?/g, '\n').normalize('NFC').trim()
  return rule.multiline ? text : text.replace(/[\n\t]+/g, ' ')
}

/** The first problem of cleaned text, or undefined. */
export function checkText(text: string, rule: TextRule): TextProblem | undefined {
  if (BLANK.test(text)) return { kind: 'empty' }
  if (REFUSED.test(text)) return { kind: 'control' }
  const by = [...text].length - rule.maxLength
  return by > 0 ? { kind: 'long', by } : undefined
}
