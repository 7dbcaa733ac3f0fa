/**
 * Which language a visitor reads: the cookie set by the switch, else the browser's Accept-Language,
 * else English. Views take the words from here through `page.ts`.
 */
import type { Request } from 'uwas'
import type { Dictionary } from './dictionary.ts'
import { en } from './en.ts'
import { ko } from './ko.ts'

export type Language = 'ko' | 'en'

export const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { ko, en }

/** Name of each language in itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { ko: '한국어', en: 'English' }

export const LANGUAGE_COOKIE = 'lang'

const DEFAULT_LANGUAGE: Language = 'en'

export function isLanguage(value: unknown): value is Language {
  return value === 'ko' || value === 'en'
}

export function languageOf(req: Request): Language {
  const chosen = req.cookie(LANGUAGE_COOKIE)
  return isLanguage(chosen) ? chosen : preferredLanguage(req.header('accept-language') ?? '')
}

export interface Speaker {
  readonly lang: Language
  /** All words of the board in that language. */
  readonly t: Dictionary
}

export function speakerOf(req: Request): Speaker {
  const lang = languageOf(req)
  return { lang, t: DICTIONARIES[lang] }
}

/** The best of our languages in an Accept-Language field (RFC 9110 section 12.5.4). */
export function preferredLanguage(field: string): Language {
  let best: Language | undefined
  let bestQuality = 0
  for (const range of field.split(',')) {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const primary = tag === '*' ? DEFAULT_LANGUAGE : tag.split('-')[0]
    const quality = qualityOf(parameters)
    if (isLanguage(primary) && quality > bestQuality) {
      best = primary
      bestQuality = quality
    }
  }
  return best ?? DEFAULT_LANGUAGE
}

/** The language that a visitor's own words are in, for `lang` on them; undefined when there is no telling. */
export function languageOfText(text: string): Language | undefined {
  if (/\p{Script=Hangul}/u.test(text)) return 'ko'
  return /\p{Script=Latin}/u.test(text) ? 'en' : undefined
}

function qualityOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  if (weight === undefined) return 1
  const quality = Number(weight.slice(2))
  return quality >= 0 && quality <= 1 ? quality : 0
}
