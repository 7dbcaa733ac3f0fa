/**
 * Texts brought into the form in which they are compared: two that look alike to Unicode are one. Called for
 * names and passwords.
 */

/**
 * NFKC and the case folded away (Unicode, section 3.13, "caseless matching"), by way of capitals, which
 * make one of `ß` and `ss`, `ς` and `σ`. The same again when it is folded again.
 */
export function fold(text: string): string {
  let folded = text
  for (let i = 0; i < MAX_ROUNDS; i++) {
    const next = folded.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
    if (next === folded) return folded
    folded = next
  }
  return folded
}

/** Two do it for every character that there is; one more to see that nothing changes. */
const MAX_ROUNDS = 4
