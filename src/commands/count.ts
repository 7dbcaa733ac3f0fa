/** Numbers in messages. Called by the commands that tell how many of something there are. */

/** `1 file`, `2 files`: for words whose plural ends with s. */
export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
