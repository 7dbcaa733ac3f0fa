/**
 * Follows a template's tags through the data of one rendering and notes the names that nothing has.
 * Partials, parents and blocks are followed as the compiler of templates links them.
 */
import type {
  BlockNode,
  CachedNode,
  Name,
  Node,
  ParentNode,
  PartialNode,
  Template,
} from '../../template/ast.ts'
import type { Value, Values } from './values.ts'
import { type Blocks, type Contexts, Visits } from './visits.ts'

/** A tag whose name is looked up. */
export interface Tag {
  readonly template: Template
  readonly at: number
  readonly name: string
  /** A value has to be there; a section may be about something that only some views have. */
  readonly kind: 'value' | 'section'
}

/** What became of a tag's name in one rendering; `near` lists the names that were there instead. */
export type Note = (tag: Tag, isKnown: boolean, near: () => string[]) => void

interface Place {
  readonly template: Template
  readonly contexts: Contexts
  readonly blocks: Blocks
  /** Templates on the way here: one that calls itself is looked at once. */
  readonly trail: readonly Template[]
}

export class TagWalk {
  readonly #values: Values
  readonly #find: (name: string) => Template | undefined
  readonly #helpers: ReadonlySet<string>
  readonly #note: Note
  readonly #visits = new Visits()

  /** `helpers` are names that every template has behind its data. */
  constructor(
    values: Values,
    find: (name: string) => Template | undefined,
    helpers: ReadonlySet<string>,
    note: Note,
  ) {
    this.#values = values
    this.#find = find
    this.#helpers = helpers
    this.#note = note
  }

  walk(template: Template, contexts: readonly Value[]): void {
    const own = this.#visits.contexts(contexts)
    const blocks = this.#visits.none
    this.#nodes(template.nodes, { template, contexts: own, blocks, trail: [template] })
  }

  #nodes(nodes: readonly Node[], place: Place): void {
    for (const node of nodes) {
      switch (node.kind) {
        case 'value':
          this.#look(node.name, node.at, 'value', place)
          break
        case 'url':
          for (const { name } of node.params) this.#look(name, node.at, 'value', place)
          break
        case 'cached':
          this.#cached(node, place)
          break
        case 'section': {
          const value = this.#look(node.name, node.at, 'section', place)
          this.#section(node, value, place)
          break
        }
        case 'partial':
        case 'parent':
          this.#partial(node, place)
          break
        case 'block':
          this.#block(node, place)
          break
        case 'line':
        case 'text':
          break
        default:
          node satisfies never
      }
    }
  }

  #section(node: Extract<Node, { kind: 'section' }>, value: Value | undefined, place: Place): void {
    if (node.inverted) return this.#nodes(node.nodes, place)
    if (value === undefined || this.#values.isLambda(value)) return
    const items = this.#values.items(value)
    if (items !== 'any' && items.length === 0) return
    const contexts = this.#visits.contexts([...place.contexts, items])
    this.#nodes(node.nodes, { ...place, contexts })
  }

  #partial(node: PartialNode | ParentNode, place: Place): void {
    if ('dynamic' in node.target) {
      this.#look(node.target.dynamic, node.at, 'value', place)
      return
    }
    const isParent = node.kind === 'parent'
    const blocks = isParent ? this.#visits.blocks(node, place.template, place.blocks) : place.blocks
    this.#template(node.target.fixed, { ...place, blocks })
  }

  #cached(node: CachedNode, place: Place): void {
    const inTags = node.tags.flat().filter((part) => typeof part !== 'string')
    for (const name of [...node.vary, ...inTags]) this.#look(name, node.at, 'value', place)
    this.#template(node.template, { ...place, blocks: this.#visits.none })
  }

  #template(name: string, { contexts, blocks, trail }: Place): void {
    const template = this.#find(name)
    if (template === undefined || trail.includes(template)) return
    if (!this.#visits.begin(template, contexts, blocks)) return
    this.#nodes(template.nodes, { template, contexts, blocks, trail: [...trail, template] })
  }

  #block(node: BlockNode, place: Place): void {
    const replacement = place.blocks.get(node.name)
    if (replacement === undefined) return this.#nodes(node.nodes, place)
    const { block } = replacement
    const inner = { ...place, ...replacement.place }
    if (this.#visits.begin(block, place.contexts, inner.blocks)) this.#nodes(block.nodes, inner)
  }

  /** The name's value; undefined when it is unknown, which is noted. */
  #look(name: Name, at: number, kind: Tag['kind'], place: Place): Value | undefined {
    const tag: Tag = { template: place.template, at, name: name.text, kind }
    const innermost = place.contexts.at(-1) ?? 'any'
    let value = name.head === null ? innermost : this.#findOutward(name.head, place.contexts)
    if (value === undefined) {
      this.#note(tag, false, () => place.contexts.flatMap((one) => this.#values.names(one)))
      return undefined
    }
    for (const part of name.tail) {
      const owner: Value = value
      value = this.#values.property(owner, part)
      if (value === undefined) {
        this.#note(tag, false, () => this.#values.names(owner))
        return undefined
      }
    }
    this.#note(tag, true, () => [])
    return value
  }

  #findOutward(head: string, contexts: readonly Value[]): Value | undefined {
    for (let i = contexts.length - 1; i >= 0; i--) {
      const found = this.#values.property(contexts[i] as Value, head)
      if (found !== undefined) return found
    }
    return this.#helpers.has(head) ? 'any' : undefined
  }
}
