/** Statements whose shapes are known at run time only. */
import type { Arguments } from '../statement.ts'
import type { Shape } from '../types.ts'

/** The one argument of a statement of any shape. */
export function given(params: object): Arguments<Shape> {
  return [params] as unknown as Arguments<Shape>
}
