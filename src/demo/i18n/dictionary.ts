/** The shape of a dictionary: the keys of `en.ts`, with any words in them. */
import type { en } from './en.ts'

/** Forms of one phrase by plural category (Intl.PluralRules); `other` is always there. */
export type Plural = { readonly other: string } & Partial<Record<Intl.LDMLPluralRule, string>>

type Words<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends { readonly other: string }
      ? Plural
      : Words<T[K]>
}

export type Dictionary = Words<typeof en>
