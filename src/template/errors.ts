/** Several mistakes at once → one error to throw. Collected by every step that reads templates. */
import { type CodedError, createError } from '../core/errors.ts'

/** UWAS_ERR_TEMPLATE_MANY: single errors in the order of files and lines, the first 20 of them. */
export interface TemplateErrors extends CodedError {
  readonly errors: readonly CodedError[]
}

/** Nobody reads more, and a text that is no template at all has one in every line. */
const MAX_LISTED = 20

export class Mistakes {
  readonly #listed: CodedError[] = []
  #count = 0

  /** `make` is called for those that are listed. */
  add(make: () => CodedError): void {
    if (this.#listed.length < MAX_LISTED) this.#listed.push(make())
    this.#count += 1
  }

  addAll(others: Mistakes): void {
    this.#listed.push(...others.#listed.slice(0, MAX_LISTED - this.#listed.length))
    this.#count += others.#count
  }

  get count(): number {
    return this.#count
  }

  get first(): CodedError | undefined {
    return this.#listed[0]
  }

  /** Throws nothing for none, the error itself for one, UWAS_ERR_TEMPLATE_MANY for more. */
  throw(): void {
    const errors = this.#listed
    if (errors[0] === undefined) return
    if (this.#count === 1) throw errors[0]
    const more = this.#count - errors.length
    const list = errors.map((error) => `\n\n${error.message}`).join('')
    const values = { count: this.#count, list: more > 0 ? `${list}\n\n… and ${more} more` : list }
    throw Object.assign(createError('UWAS_ERR_TEMPLATE_MANY', values, errors[0]), { errors })
  }
}
