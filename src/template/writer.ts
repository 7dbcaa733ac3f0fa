/**
 * The text of generated functions, statement by statement: merges literals, remembers which tag each line
 * came from, declares the local variables that were used. Everything out of a template that enters generated
 * code passes `quote`.
 */
import type { Template } from './ast.ts'

/** The tag that a generated line stands for. */
export interface Mark {
  readonly template: Template
  readonly at: number
}

/** Any text as a JavaScript string literal, in quotes: no character of it can end the literal. */
export function quote(text: string): string {
  return quoteData(text)
}

/** Plain data as a JavaScript expression. */
export function quoteData(data: unknown): string {
  return JSON.stringify(data).replace(/[\u2028\u2029]/g, (c) =>
    c === '\u2028' ? '\\u2028' : '\\u2029',
  )
}

/** A function that is being written: the line of its declarations, and the contexts around and in it. */
interface OpenFunction {
  readonly line: number
  readonly outer: number
  deepest: number
}

/**
 * Locals of every function: `out`, the value of the last lookup `v` and its owner `o`, a function `f`, parameters
 * `p`; and for each context `n`: its value `cn`, the list or value `an` it comes from, whether it is a list `ln`, how
 * many there are `nn`, the number of this one `jn`. All are declared at its top: V8 gives each variable of
 * a block a place of its own, so that a long page would not fit on the stack.
 */
export class Writer {
  readonly lines: string[] = []
  readonly marks: (Mark | undefined)[] = []
  readonly #open: OpenFunction[] = []
  #literal = ''
  #mark: Mark | undefined

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

  /** Begins a function's body, inside of `outer` contexts that are there already. */
  begin(outer: number): void {
    this.#open.push({ line: this.lines.length, outer, deepest: outer })
    this.#push('')
  }

  /** The variables of context `depth` are used. */
  uses(depth: number): void {
    const current = this.#open.at(-1)
    if (current !== undefined && current.deepest < depth) current.deepest = depth
  }

  /** Ends the body that was begun last. */
  end(): void {
    this.statement('return out')
    const { line, outer, deepest } = this.#open.pop() as OpenFunction
    let locals = "let out = '', v, o, f, p"
    for (let n = outer + 1; n <= deepest; n++)
      locals += `, c${n}, s${n}, a${n}, l${n}, n${n}, j${n}`
    this.lines[line] = locals
  }

  #push(code: string): void {
    this.lines.push(code)
    this.marks.push(this.#mark)
  }
}
