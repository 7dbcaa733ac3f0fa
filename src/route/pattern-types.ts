/**
 * A pattern read by the compiler: `'/posts/<int:id>'` → `{ id: number }`. The run-time reader of the
 * same grammar is pattern.ts; types only here, nothing is left of this file at run time.
 */
import type { BuiltInConverters, Converters, ConverterValue } from './converters.ts'

/** Parameter types by name of a pattern literal; `Record<string, unknown>` for a plain `string`. */
export type ParamsOf<Pattern extends string, C extends Converters = Empty> = string extends Pattern
  ? Record<string, unknown>
  : Simplify<Collect<Pattern, C>>

/** `unknown` for a pattern whose converters are all known, else a type that names the unknown one. */
export type ValidPattern<
  Pattern extends string,
  C extends Converters = Empty,
> = Pattern extends `${string}<${infer Part}>${infer Rest}`
  ? ConverterOf<Part> extends keyof C | keyof BuiltInConverters
    ? ValidPattern<Rest, C>
    : { readonly unknownConverter: ConverterOf<Part> }
  : unknown

/** No keys at all. */
// biome-ignore lint/complexity/noBannedTypes: the neutral element of `&`
export type Empty = {}

/** An intersection written out as one object type. */
export type Simplify<T> = { [K in keyof T]: T[K] } & Empty

/** `A | B` → `A & B`. */
export type UnionToIntersection<U> = (U extends unknown ? (each: U) => void : never) extends (
  each: infer I,
) => void
  ? I
  : never

type Collect<
  Pattern extends string,
  C extends Converters,
> = Pattern extends `${string}<${infer Part}>${infer Rest}`
  ? { [K in NameOf<Part>]: ValueOf<ConverterOf<Part>, C> } & Collect<Rest, C>
  : Empty

type NameOf<Part extends string> = Part extends `${string}:${infer Name}` ? Name : Part

type ConverterOf<Part extends string> = Part extends `${infer Name}:${string}` ? Name : 'str'

type ValueOf<Name extends string, C extends Converters> = Name extends keyof C
  ? ConverterValue<C[Name]>
  : Name extends keyof BuiltInConverters
    ? ConverterValue<BuiltInConverters[Name]>
    : never
