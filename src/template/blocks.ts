/**
 * Which block contents replace which (~inheritance). The outermost parent tag that names a block wins; the
 * blocks inside a replacement belong to the template in which the replacement is written.
 * Equal sets are the same object: `generate.ts` keeps one function for each template and set.
 */
import type { BlockNode, Template } from './ast.ts'

export interface Override {
  readonly block: BlockNode
  readonly template: Template
  /** The replacements that hold where this one is written. */
  readonly blocks: Blocks
}

/** What all the sets of one program share. */
interface Pool {
  readonly sets: Map<string, Blocks>
  readonly ids: Map<BlockNode, number>
}

export class Blocks {
  readonly key: string
  readonly #pool: Pool
  readonly #overrides: ReadonlyMap<string, Override>

  private constructor(key: string, pool: Pool, overrides: ReadonlyMap<string, Override>) {
    this.key = key
    this.#pool = pool
    this.#overrides = overrides
  }

  /** The set without replacements, of a new program. */
  static none(): Blocks {
    return new Blocks('', { sets: new Map(), ids: new Map() }, new Map())
  }

  get(name: string): Override | undefined {
    return this.#overrides.get(name)
  }

  /** This set and, for names it lacks, the blocks of a parent tag in `template`. */
  with(blocks: readonly BlockNode[], template: Template): Blocks {
    const all = new Map<string, Override>()
    for (const block of blocks) all.set(block.name, { block, template, blocks: this })
    for (const [name, override] of this.#overrides) all.set(name, override)
    const parts = [...all.values()].map(
      ({ block, blocks: outer }) => `${this.#id(block)}:${outer.key}`,
    )
    const text = parts.sort().join(',')
    const known = text === '' ? this : this.#pool.sets.get(text)
    if (known !== undefined) return known
    const made = new Blocks(`b${this.#pool.sets.size + 1}`, this.#pool, all)
    this.#pool.sets.set(text, made)
    return made
  }

  #id(block: BlockNode): number {
    const { ids } = this.#pool
    const id = ids.get(block) ?? ids.size
    ids.set(block, id)
    return id
  }
}
