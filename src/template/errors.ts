/** Several mistakes at once → one error to throw. */
import { type CodedError, createError } from '../core/errors.ts'

/** UWAS_ERR_TEMPLATE_MANY: every single error, in the order of files and lines. */
export interface TemplateErrors extends CodedError {
  readonly errors: readonly CodedError[]
}

/** Throws nothing for none, the error itself for one, UWAS_ERR_TEMPLATE_MANY for more. */
export function throwAll(errors: readonly CodedError[]): void {
  if (errors[0] === undefined) return
  if (errors.length === 1) throw errors[0]
  const list = errors.map((error) => `\n\n${error.message}`).join('')
  const many = createError('UWAS_ERR_TEMPLATE_MANY', { count: errors.length, list }, errors[0])
  throw Object.assign(many, { errors })
}
