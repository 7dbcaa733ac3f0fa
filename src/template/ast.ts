/**
 * A template after parsing: what `parse.ts` makes and `generate.ts` turns into JavaScript. Standalone
 * lines are gone and indentation is explicit, so that nobody looks at whitespace again.
 */
import type { HtmlState } from './html-state.ts'

export interface Delimiters {
  readonly open: string
  readonly close: string
}

/** What a text that a lambda returns is read by. */
export interface LambdaPlace extends Delimiters {
  /** The tag stands in a plain text template. */
  readonly isText?: boolean
  /** Where in the HTML the tag stands. Default: in text. */
  readonly states?: readonly HtmlState[]
}

export const DEFAULT_DELIMITERS: Delimiters = { open: '{{', close: '}}' }

/** A dotted name. `head` is looked up through the contexts; null means the innermost one (`.`, `.x`). */
export interface Name {
  readonly text: string
  readonly head: string | null
  readonly tail: readonly string[]
}

/** What a partial or parent tag names: a template, or a value that holds the name of one (`*x`). */
export type Target = { readonly fixed: string } | { readonly dynamic: Name }

/** A line of the template begins here: the place for indentation from outside. */
export interface LineNode {
  readonly kind: 'line'
}

export interface TextNode {
  readonly kind: 'text'
  text: string
}

export interface ValueNode {
  readonly kind: 'value'
  readonly name: Name
  readonly raw: boolean
  /** What the place of the tag asks for; `contexts.ts` finds out. */
  escape: 'text' | 'attribute' | 'url' | 'json'
  readonly at: number
}

/** `{{#url}}post id=comment.postId{{/url}}`: the URL of a named route. */
export interface UrlNode {
  readonly kind: 'url'
  readonly route: string
  readonly params: readonly { readonly key: string; readonly name: Name }[]
  readonly at: number
}

/** `{{#cached}}side vary=lang seconds=60{{/cached}}`: a partial of which the site keeps what it rendered. */
export interface CachedNode {
  readonly kind: 'cached'
  readonly template: string
  /** Values of which each has a fragment of its own. */
  readonly vary: readonly Name[]
  /** Each made of texts and values. */
  readonly tags: readonly (readonly (string | Name)[])[]
  /** Null: until it is invalidated. */
  readonly seconds: number | null
  readonly at: number
}

export interface SectionNode {
  readonly kind: 'section'
  readonly name: Name
  readonly inverted: boolean
  readonly nodes: readonly Node[]
  /** The unparsed content, `source.slice(from, to)`, and the delimiters it is written in. */
  readonly from: number
  readonly to: number
  readonly delimiters: Delimiters
  /** Where in the HTML the content begins, for what a lambda makes of it; `contexts.ts` finds out. */
  readonly states: Map<string, HtmlState>
  readonly at: number
}

export interface PartialNode {
  readonly kind: 'partial'
  readonly target: Target
  /** Indentation of every line of the partial when the tag stands alone on its line, else null. */
  indent: string | null
  /** Templates that a dynamic name may not choose here, and why; `contexts.ts` finds out. */
  readonly unfit: Map<string, string>
  readonly at: number
}

/** A partial whose blocks are replaced by `blocks`. */
export interface ParentNode {
  readonly kind: 'parent'
  readonly target: Target
  readonly blocks: readonly BlockNode[]
  indent: string | null
  readonly unfit: Map<string, string>
  readonly at: number
}

export interface BlockNode {
  readonly kind: 'block'
  readonly name: string
  readonly nodes: readonly Node[]
  /** As in `PartialNode`: whatever replaces the content is indented by this much. */
  indent: string | null
  /** The content begins on a line of its own: its first node carries its own line mark. */
  readonly startsLine: boolean
  readonly at: number
}

export type Node =
  | LineNode
  | TextNode
  | ValueNode
  | UrlNode
  | CachedNode
  | SectionNode
  | PartialNode
  | ParentNode
  | BlockNode

export interface Template {
  readonly name: string
  /** Stands in messages: the file's path, or the name where there is no file. */
  readonly file: string
  readonly source: string
  /** Plain text: nothing is escaped. */
  readonly isText: boolean
  readonly nodes: readonly Node[]
}

/** Reads `a.b.c`, `.` or `.a`; null when it is none of them. */
export function parseName(text: string): Name | null {
  if (text === '.') return { text, head: null, tail: [] }
  const [head, ...tail] = text.split('.') as [string, ...string[]]
  if (tail.includes('') || (head === '' && tail.length === 0)) return null
  return { text, head: head === '' ? null : head, tail }
}
