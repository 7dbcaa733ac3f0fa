/**
 * What a name can stand for, as types: the contexts of a template's tags and the values found in them.
 * Used by `tags.ts`; follows the rules by which compiled templates look names up (template/lookup.ts).
 */
import type ts from 'typescript'
import type { TypeScript } from './compiler.ts'

/** One type that a value can have. `open`: an index signature counts as having every name. */
export interface Alternative {
  readonly type: ts.Type
  readonly open: boolean
}

/** All types that a value can have; `any` when nothing is known of it. */
export type Value = 'any' | readonly Alternative[]

export class Values {
  readonly #ts: TypeScript
  readonly #checker: ts.TypeChecker

  constructor(compiler: TypeScript, checker: ts.TypeChecker) {
    this.#ts = compiler
    this.#checker = checker
  }

  /** The value of an expression of this type, promises of views not among them. */
  of(type: ts.Type, open = true): Value {
    const { Any, Unknown, TypeParameter } = this.#ts.TypeFlags
    if (type.flags & TypeParameter) {
      const constraint = this.#checker.getBaseConstraintOfType(type)
      return constraint === undefined ? 'any' : this.of(constraint, open)
    }
    if (type.flags & (Any | Unknown)) return 'any'
    if (!type.isUnion()) return [{ type, open }]
    return join(type.types.map((one) => this.of(one, open)))
  }

  /** The property `name` of a value; undefined when none of its alternatives has it. */
  property(value: Value, name: string): Value | undefined {
    if (value === 'any') return 'any'
    const found = value.map((one) => this.#propertyOf(one, name)).filter((one) => one !== undefined)
    return found.length === 0 ? undefined : join(found)
  }

  /** What a section on this value sees as its innermost context; empty when it is never rendered. */
  items(value: Value): Value {
    if (value === 'any') return 'any'
    const alternatives = value.filter(({ type }) => !this.#isNothing(type))
    return join(alternatives.map((one) => this.#itemsOf(one)))
  }

  /** Whether a section on it gets its own text, so that nothing is known of what it makes of it. */
  isLambda(value: Value): boolean {
    if (value === 'any') return false
    return value.some(({ type }) => type.getCallSignatures().length > 0)
  }

  /** Names that the value has, for hints. */
  names(value: Value): string[] {
    if (value === 'any') return []
    return value.flatMap(({ type }) =>
      type.flags & this.#ts.TypeFlags.Object
        ? this.#checker.getPropertiesOfType(type).map((symbol) => symbol.name)
        : [],
    )
  }

  #propertyOf({ type, open }: Alternative, name: string): Value | undefined {
    if (!(type.flags & (this.#ts.TypeFlags.Object | this.#ts.TypeFlags.Intersection))) {
      const isText = (type.flags & this.#ts.TypeFlags.StringLike) !== 0
      return isText && name === 'length' ? [] : undefined
    }
    const symbol = this.#checker.getPropertyOfType(type, name)
    if (symbol !== undefined) return this.#called(this.#checker.getTypeOfSymbol(symbol))
    const isIndex = /^\d+$/.test(name)
    const element = isIndex ? type.getNumberIndexType() : undefined
    if (element !== undefined) return this.of(element)
    const rest = open ? type.getStringIndexType() : undefined
    return rest === undefined ? undefined : this.of(rest)
  }

  /** A method without parameters stands for what it returns. */
  #called(type: ts.Type): Value {
    const [signature] = type.getCallSignatures()
    return signature !== undefined && signature.parameters.length === 0
      ? this.of(signature.getReturnType())
      : this.of(type)
  }

  #itemsOf({ type, open }: Alternative): Value {
    if (this.#checker.isArrayType(type) || this.#checker.isTupleType(type)) {
      const element = type.getNumberIndexType()
      return element === undefined ? 'any' : this.of(element)
    }
    return [{ type, open }]
  }

  #isNothing(type: ts.Type): boolean {
    const { Undefined, Null, Void, Never } = this.#ts.TypeFlags
    if (type.flags & (Undefined | Null | Void | Never)) return true
    return this.#checker.typeToString(type) === 'false'
  }
}

function join(values: readonly Value[]): Value {
  if (values.includes('any')) return 'any'
  return (values as readonly (readonly Alternative[])[]).flat()
}
