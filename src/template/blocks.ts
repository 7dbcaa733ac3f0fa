/**
 * Which block contents replace which (~inheritance). The outermost parent tag that names a block wins; the
 * blocks inside a replacement belong to the template in which the replacement is written.
 * Equal sets are the same object: `generate.ts` keeps one function for each template and set.
 */
import type { BlockNode, ParentNode, Template } from './ast.ts'
import { errorAt } from './place.ts'

export interface Override {
  readonly block: BlockNode
  readonly template: Template
  /** The replacements that hold where this one is written. */
  readonly blocks: Blocks
}

/**
 * All sets of one program together, with 20 for each set and one for each of its blocks. A site with a thousand
 * pages in three layouts comes to about 100,000; parents in parents in turn can double it with every template.
 */
const MAX_COST = 2_000_000
const COST_OF_SET = 20

/** What all the sets of one program share. */
interface Pool {
  sets: number
  cost: number
}

export class Blocks {
  readonly key: string
  readonly #pool: Pool
  readonly #overrides: ReadonlyMap<string, Override>
  readonly #made = new Map<ParentNode, Blocks>()

  private constructor(key: string, pool: Pool, overrides: ReadonlyMap<string, Override>) {
    this.key = key
    this.#pool = pool
    this.#overrides = overrides
  }

  /** The set without replacements, of a new program. */
  static none(): Blocks {
    return new Blocks('', { sets: 0, cost: 0 }, new Map())
  }

  get(name: string): Override | undefined {
    return this.#overrides.get(name)
  }

  /**
   * This set and, for names it lacks, the blocks of a parent tag in `template`. Throws
   * UWAS_ERR_TEMPLATE_BLOCKS when the templates of a program have too many of them.
   */
  with(parent: ParentNode, template: Template): Blocks {
    const known = this.#made.get(parent)
    if (known !== undefined) return known
    const made = this.#extend(parent, template)
    this.#made.set(parent, made)
    return made
  }

  #extend({ blocks, at }: ParentNode, template: Template): Blocks {
    const added = blocks.filter(({ name }) => !this.#overrides.has(name))
    if (added.length === 0) return this
    const pool = this.#pool
    pool.sets += 1
    pool.cost += COST_OF_SET + this.#overrides.size + added.length
    if (pool.cost > MAX_COST) {
      throw errorAt('UWAS_ERR_TEMPLATE_BLOCKS', template, at, { count: pool.sets })
    }
    const all = new Map(this.#overrides)
    for (const block of added) all.set(block.name, { block, template, blocks: this })
    return new Blocks(`b${pool.sets}`, pool, all)
  }
}
