/**
 * Source text → `Template`, by the Mustache specification 1.4 with ~lambdas, ~inheritance and
 * ~dynamic-names. Called by `compile.ts` and `templates.ts`; mistakes are collected, not thrown.
 */
import type { CodedError } from '../core/errors.ts'
import {
  type BlockNode,
  DEFAULT_DELIMITERS,
  type Delimiters,
  type Name,
  type Node,
  type ParentNode,
  parseName,
  type Target,
  type Template,
} from './ast.ts'
import { Mistakes } from './errors.ts'
import { pushText, stripIndent } from './lines.ts'
import { errorAt, type Origin, placeOf, shorten } from './place.ts'
import { scanTags, type Tag } from './scan.ts'
import { SITE_TAGS, type SiteTag } from './site-tags.ts'

export interface ParseResult {
  /** Complete only when there are no mistakes. */
  readonly template: Template
  readonly mistakes: Mistakes
}

/** What is special about templates of a site. */
export interface ParseOptions {
  /** Plain text: nothing is escaped. */
  readonly isText?: boolean
  /** `{{#json}}`, `{{#url}}` and `{{#cached}}` are tags of their own. */
  readonly isSite?: boolean
}

/** Sections deeper than this are a mistake, and would be too deep for a JavaScript function. */
const MAX_NESTING = 100

/** A tag with what it encloses, and its close tag. Tags that enclose nothing have no `close`. */
interface Tree {
  readonly tag: Tag
  readonly children: Tree[]
  close: Tag | null
}

/** `source` is the template's text, `file` its name in messages (default: `name`). */
export function parseTemplate(
  source: string,
  name: string,
  file: string = name,
  delimiters: Delimiters = DEFAULT_DELIMITERS,
  options: ParseOptions = {},
): ParseResult {
  const origin = { source, file }
  const mistakes = new Mistakes()
  const tags = scanTags(source, delimiters, (problem, at, values) => {
    mistakes.add(() => errorAt(`UWAS_ERR_TEMPLATE_${problem}`, origin, at, values()))
  })
  const trees = nest(origin, tags, mistakes)
  const builder = new Builder(origin, mistakes, options)
  const nodes = mistakes.count === 0 ? builder.build(trees, 0, source.length, 0) : []
  const isText = options.isText === true
  return { template: { name, file, source, isText, nodes }, mistakes }
}

/** Pairs open and close tags. A close tag that fits an outer section ends the inner ones, as errors. */
function nest(origin: Origin, tags: readonly Tag[], mistakes: Mistakes): Tree[] {
  const root: Tree[] = []
  const open: Tree[] = []
  for (const tag of tags) {
    if (tag.type === '/') {
      closeSection(origin, open, tag, mistakes)
      continue
    }
    const tree: Tree = { tag, children: [], close: null }
    ;(open.at(-1)?.children ?? root).push(tree)
    if (!'#^<$'.includes(tag.type || ' ')) continue
    open.push(tree)
    if (open.length > MAX_NESTING) {
      const values = { limit: MAX_NESTING }
      mistakes.add(() => errorAt('UWAS_ERR_TEMPLATE_NESTING', origin, tag.at, values))
      return root
    }
  }
  for (const tree of open) mistakes.add(() => unclosed(origin, tree))
  return root
}

function closeSection(origin: Origin, open: Tree[], tag: Tag, mistakes: Mistakes): void {
  const innermost = open.at(-1)
  if (innermost === undefined) {
    mistakes.add(() => {
      const values = { tag: written(origin, tag) }
      return errorAt('UWAS_ERR_TEMPLATE_UNEXPECTED_CLOSE', origin, tag.at, values)
    })
    return
  }
  const fits = open.findLastIndex((tree) => tree.tag.name === tag.name)
  if (fits === -1) {
    mistakes.add(() =>
      errorAt('UWAS_ERR_TEMPLATE_WRONG_CLOSE', origin, tag.at, {
        tag: written(origin, tag),
        open: written(origin, innermost.tag),
        line: placeOf(origin, innermost.tag.at).line,
        expected: closeTagOf(innermost.tag),
      }),
    )
    return
  }
  for (const tree of open.splice(fits + 1)) mistakes.add(() => unclosed(origin, tree))
  const tree = open.pop() as Tree
  tree.close = tag
}

function unclosed(origin: Origin, { tag }: Tree): CodedError {
  return errorAt('UWAS_ERR_TEMPLATE_UNCLOSED_SECTION', origin, tag.at, {
    tag: written(origin, tag),
    expected: closeTagOf(tag),
  })
}

function written(origin: Origin, tag: Tag): string {
  return shorten(origin.source.slice(tag.at, tag.end))
}

function closeTagOf({ name, delimiters }: Tag): string {
  return `${delimiters.open}/${shorten(name)}${delimiters.close}`
}

/** The outer and inner extent of a pair of tags, after standalone lines have been taken away. */
interface Extent {
  readonly from: number
  readonly innerFrom: number
  readonly innerTo: number
  readonly to: number
}

/** Makes nodes of trees; text between them is cut out of the source. */
class Builder {
  readonly #origin: Origin
  readonly #mistakes: Mistakes
  readonly #isHtml: boolean
  readonly #isSite: boolean

  constructor(origin: Origin, mistakes: Mistakes, { isText, isSite }: ParseOptions) {
    this.#origin = origin
    this.#mistakes = mistakes
    this.#isHtml = isText !== true
    this.#isSite = isSite === true
  }

  /** `tail` 1: behind the last tree a tag follows on the same line. */
  build(trees: readonly Tree[], from: number, to: number, tail: 0 | 1): Node[] {
    const nodes: Node[] = []
    let position = from
    for (const tree of trees) {
      const made = this.#make(tree)
      pushText(nodes, this.#origin.source, position, made.from, made.ownLine ? 0 : 1)
      if (made.node !== null) nodes.push(made.node)
      position = made.to
    }
    pushText(nodes, this.#origin.source, position, to, tail)
    return nodes
  }

  /** `ownLine`: the tag took its line away, so that no line begins at it. */
  #make(tree: Tree): { node: Node | null; from: number; to: number; ownLine: boolean } {
    const { tag, close } = tree
    if (close === null) {
      const alone = tag.type !== '' && tag.type !== '&' && tag.clearLeft && tag.clearRight
      const extent = alone
        ? { from: tag.lineStart, to: tag.lineEnd }
        : { from: tag.at, to: tag.end }
      return { node: this.#single(tag, alone), ...extent, ownLine: alone }
    }
    if (tag.type === '<') return this.#parent(tree, close)
    if (tag.type === '$') return this.#block(tree, close)
    const site = this.#isSite && tag.type === '#' ? SITE_TAGS.get(tag.name) : undefined
    if (site !== undefined) return this.#siteTag(site, tag, close)
    const extent = extentOf(tag, close)
    const node: Node = {
      kind: 'section',
      name: this.#name(tag, tag.name),
      inverted: tag.type === '^',
      nodes: this.build(tree.children, extent.innerFrom, extent.innerTo, isAlone(close) ? 0 : 1),
      from: extent.innerFrom,
      to: extent.innerTo,
      delimiters: tag.delimiters,
      states: new Map(),
      at: tag.at,
    }
    return { node, from: extent.from, to: extent.to, ownLine: isAlone(tag) }
  }

  /** A tag of a site, with its content; it takes no line away. */
  #siteTag(
    make: (tag: SiteTag) => Node,
    tag: Tag,
    close: Tag,
  ): { node: Node; from: number; to: number; ownLine: boolean } {
    const node = make({
      text: this.#origin.source.slice(tag.end, close.at).trim(),
      at: tag.at,
      name: (text) => this.#name(tag, text),
      tell: (problem) => this.#tell(tag, problem),
    })
    return { node, from: tag.at, to: close.end, ownLine: false }
  }

  #single(tag: Tag, alone: boolean): Node | null {
    if (tag.type === '!' || tag.type === '=') return null
    if (tag.type === '>') {
      const indent = alone ? this.#origin.source.slice(tag.lineStart, tag.at) : null
      const target = this.#target(tag)
      return { kind: 'partial', target, indent, unfit: new Map(), at: tag.at }
    }
    return {
      kind: 'value',
      name: this.#name(tag, tag.name),
      raw: tag.type === '&' || !this.#isHtml,
      escape: 'text',
      at: tag.at,
    }
  }

  /** Alone on its lines as soon as nothing stands before its open tag and behind its close tag. */
  #parent(
    tree: Tree,
    close: Tag,
  ): { node: ParentNode; from: number; to: number; ownLine: boolean } {
    const { tag } = tree
    const alone = tag.clearLeft && close.clearRight
    const blocks = tree.children.filter((child) => child.tag.type === '$')
    const node: ParentNode = {
      kind: 'parent',
      target: this.#target(tag),
      blocks: blocks.map((child) => this.#argument(child)),
      indent: alone ? this.#origin.source.slice(tag.lineStart, tag.at) : null,
      unfit: new Map(),
      at: tag.at,
    }
    return {
      node,
      from: alone ? tag.lineStart : tag.at,
      to: alone ? close.lineEnd : close.end,
      ownLine: alone,
    }
  }

  /** A block inside a parent tag: its own indentation is taken off, its place gives a new one. */
  #argument(tree: Tree): BlockNode {
    const { tag } = tree
    const close = tree.close as Tag
    if (!tag.clearRight) return this.#blockNode(tree, tag.end, close.at, null, false)
    return this.#ownLines(tree, close, null)
  }

  #block(tree: Tree, close: Tag): { node: BlockNode; from: number; to: number; ownLine: boolean } {
    const { tag } = tree
    const leading = this.#origin.source.slice(tag.lineStart, tag.at)
    const isOneLine = !this.#origin.source.slice(tag.end, close.at).includes('\n')
    if (tag.clearLeft && close.clearRight && (tag.clearRight || isOneLine)) {
      const node = tag.clearRight
        ? this.#ownLines(tree, close, leading)
        : this.#blockNode(tree, tag.end, close.at, leading, false)
      const to = close.clearLeft ? close.lineEnd : close.end
      return { node, from: tag.lineStart, to, ownLine: true }
    }
    const extent = extentOf(tag, close)
    const node = this.#blockNode(tree, extent.innerFrom, extent.innerTo, null, false)
    return { node, from: extent.from, to: extent.to, ownLine: isAlone(tag) }
  }

  /** Content that begins on a new line. Its first line says how far it is indented. */
  #ownLines(tree: Tree, close: Tag, leading: string | null): BlockNode {
    const from = Math.min(tree.tag.lineEnd, close.at)
    const to = close.clearLeft ? Math.max(from, close.lineStart) : close.at
    if (from === to) return this.#blockNode(tree, from, to, leading, true)
    const own = /^[ \t]*/.exec(this.#origin.source.slice(from, to))?.[0] ?? ''
    const node = this.#blockNode(tree, from, to, leading === null ? null : own, true)
    stripIndent(node.nodes, own)
    return node
  }

  #blockNode(
    tree: Tree,
    from: number,
    to: number,
    indent: string | null,
    startsLine: boolean,
  ): BlockNode {
    const endsInLine = to === tree.close?.at && !(startsLine && tree.close.clearLeft)
    const nodes = this.build(tree.children, from, to, endsInLine ? 1 : 0)
    return { kind: 'block', name: tree.tag.name, nodes, indent, startsLine, at: tree.tag.at }
  }

  #target(tag: Tag): Target {
    if (!tag.name.startsWith('*')) return { fixed: tag.name }
    return { dynamic: this.#name(tag, tag.name.slice(1)) }
  }

  #name(tag: Tag, text: string): Name {
    const name = parseName(text)
    if (name !== null) return name
    this.#tell(tag, 'has an empty part in its name')
    return { text, head: text, tail: [] }
  }

  #tell(tag: Tag, problem: string): void {
    this.#mistakes.add(() => {
      const values = { tag: written(this.#origin, tag), problem }
      return errorAt('UWAS_ERR_TEMPLATE_NAME', this.#origin, tag.at, values)
    })
  }
}

function isAlone(tag: Tag): boolean {
  return tag.clearLeft && tag.clearRight
}

/** Each of the two tags takes its line away when it is alone on it. */
function extentOf(tag: Tag, close: Tag): Extent {
  const openAlone = isAlone(tag)
  const closeAlone = isAlone(close)
  return {
    from: openAlone ? tag.lineStart : tag.at,
    innerFrom: openAlone ? tag.lineEnd : tag.end,
    innerTo: closeAlone ? close.lineStart : close.at,
    to: closeAlone ? close.lineEnd : close.end,
  }
}
