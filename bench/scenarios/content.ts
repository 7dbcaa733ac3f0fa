/** Bytes for files, the same at every run. Called by the scenarios. */

/** Text of exactly `bytes` bytes in numbered lines, so that a part sent twice or left out shows. */
export function numbered(bytes: number, seed: number): Buffer {
  const content = Buffer.alloc(bytes)
  for (let at = 0, line = 0; at < bytes; line++) {
    at += content.write(
      `${seed}:${line} 0123456789abcdefghijklmnopqrstuvwxyz ABCDEF\n`,
      at,
      'latin1',
    )
  }
  return content
}

/** Numbers from 0 up to 1 from a fixed start (a linear congruence, high bits only). */
export function numbers(seed: number): () => number {
  let state = BigInt(seed)
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn
    return Number(state >> 33n) / 2 ** 31
  }
}

/** A page of made-up words; gzip makes about a third of it. */
export function page(words: number): Buffer {
  const next = numbers(7)
  const word = (): string =>
    Array.from({ length: 2 + Math.floor(next() * 7) }, () =>
      'etaoinshrdlu'.charAt(Math.floor(next() ** 2 * 12)),
    ).join('')
  const lexicon = Array.from({ length: 2000 }, word)
  const text = Array.from({ length: words }, (_, i) => {
    const one = lexicon[Math.floor(next() * lexicon.length)]
    return i % 12 === 11 ? `${one}.</p>\n<p>` : one
  })
  return Buffer.from(`<!doctype html>\n<title>Page</title>\n<p>${text.join(' ')}</p>\n`, 'latin1')
}
