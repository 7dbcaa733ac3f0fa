/**
 * The text of one generated function, statement by statement: merges literals, remembers which tag
 * each line came from. Everything out of a template that enters generated code passes `quote`.
 */
import type { Template } from './ast.ts'

/** The tag that a generated line stands for. */
export interface Mark {
  readonly template: Template
  readonly at: number
}

/** Any text as a JavaScript string literal, in quotes: no character of it can end the literal. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, (c) =>
    c === '\u2028' ? '\\u2028' : '\\u2029',
  )
}

export class Writer {
  readonly lines: string[] = []
  readonly marks: (Mark | undefined)[] = []
  #literal = ''
  #mark: Mark | undefined
  #names = 0

  /** Statements from here on belong to this tag. */
  mark(template: Template, at: number): void {
    this.#mark = { template, at }
  }

  /** Output that is known now. */
  literal(text: string): void {
    this.#literal += text
  }

  /** Output that an expression (a string or a number) gives at run time. */
  output(expression: string): void {
    this.statement(`out += ${expression}`)
  }

  /** One line of code, after the literals before it. */
  statement(code: string): void {
    if (this.#literal !== '') {
      this.#push(`out += ${quote(this.#literal)}`)
      this.#literal = ''
    }
    this.#push(code)
  }

  /** A number that no other local name of this function has. */
  unique(): number {
    this.#names += 1
    return this.#names
  }

  #push(code: string): void {
    this.lines.push(code)
    this.marks.push(this.#mark)
  }
}
