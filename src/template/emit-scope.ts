/** What the functions that write generated code pass on to each other. Used by `emit.ts` and `emit-value.ts`. */
import type { BlockNode, Node, Template } from './ast.ts'
import type { Blocks } from './blocks.ts'

/** What a function can be made of: a template or a block's content, where these replacements hold. */
export interface Content {
  readonly nodes: readonly Node[]
  /** The template or the block itself. */
  readonly owner: Template | BlockNode
  readonly template: Template
  readonly blocks: Blocks
}

export interface Step {
  readonly owner: Template | BlockNode
  readonly blocks: Blocks
}

/** Where in the output the nodes being written stand. */
export interface Scope {
  readonly template: Template
  /** Number of the innermost context's local variable. */
  readonly depth: number
  /** Sections around, inverted ones too: the nesting of the code. */
  readonly level: number
  /** Put at the start of every line: the function's own argument `i`, then this text. */
  readonly usesArgument: boolean
  readonly indent: string
  readonly blocks: Blocks
  /** What is being written in place, outermost first: guards against endless writing. */
  readonly trail: readonly Step[]
}

/** What the writer of one function needs from the whole program. */
export interface Units {
  find(name: string): Template | undefined
  /** Code of the function for this content. */
  unit(content: Content, indented: boolean): string
  /** The set without replacements. */
  readonly noBlocks: Blocks
  /** Code of a table of all templates' functions, for dynamic names. */
  table(blocks: Blocks, indented: boolean): string
  /** The name of what an expression without variables gives, which is made once. */
  constant(code: string): string
  /** Code of the template's text from `from` to `to`. */
  text(template: Template, from: number, to: number): string
  /** Whether a value's name that nothing has is an error. */
  readonly isStrict: boolean
  /** Counts nodes written in place; false when the function is long enough to call partials instead. */
  hasRoom(nodes: number): boolean
}
