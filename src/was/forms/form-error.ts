/** A form that cannot be, told when it is declared. */
import { createError } from '../../core/errors.ts'

export function formError(form: string, problem: string): Error {
  return createError('UWAS_ERR_WAS_FORM', { form, problem })
}
