/** Values of options, held against their bounds once, at start. Called by whoever takes options. */
import { createError } from './errors.ts'

/** `value` where it is a whole number from `least` to `most`; else UWAS_ERR_CORE_INVALID_OPTION. */
export function wholeOption(
  where: string,
  name: string,
  value: unknown,
  least: number,
  most: number,
): number {
  const isRight = Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most
  if (isRight) return Number(value)
  const problem = `${name} is ${String(value)}; it must be a whole number from ${least} to ${most}`
  throw createError('UWAS_ERR_CORE_INVALID_OPTION', { where, problem })
}
