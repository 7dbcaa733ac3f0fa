/**
 * What stands in the database: TechEmpower's two tables, and articles with their authors. All of it follows from
 * the ids, so that any answer can be checked.
 */

export const WORLDS = 10_000

export function numberOf(id: number): number {
  return ((id * 7919) % 10_000) + 1
}

/** In the order of their ids, from 1. */
export const FORTUNES: readonly string[] = [
  'fortune: No such file or directory',
  "A computer scientist is someone who fixes things that aren't broken.",
  'After enough decimal places, nobody gives a damn.',
  'A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1',
  'A computer program does what you tell it to do, not what you want it to do.',
  'Emacs is a nice operating system, but I prefer UNIX. — Tom Christaensen',
  'Any program that runs right is obsolete.',
  'A list is only as strong as its weakest link. — Donald Knuth',
  'Feature: A bug with seniority.',
  'Computers make very fast, very accurate mistakes.',
  '<script>alert("This should not be displayed in a browser alert box.");</script>',
  'フレームワークのベンチマーク',
]

export const AUTHORS = 50
export const ARTICLES = 1000

export function authorOf(article: number): number {
  return ((article * 31) % AUTHORS) + 1
}

export function authorName(author: number): string {
  return `Author ${author} O'Hara`
}

export function titleOf(article: number): string {
  return `Article ${article}: what <b> & "quotes" come to`
}

/** Some 230 characters, one in ten of the texts with something to escape. */
export function summaryOf(article: number): string {
  const words = Array.from({ length: 36 }, (_, i) => WORDS[(article * 7 + i * 11) % WORDS.length])
  return `${words.join(' ')}${article % 10 === 0 ? ' & so on' : ''}.`
}

const WORDS = (
  'water stone river light under winter market paper garden letter window morning harbour silver bridge ' +
  'answer travel forest number summer village copper'
).split(' ')
