/** The cookies of one client of one host: what Set-Cookie says, as far as a test needs it. */

export class CookieJar {
  readonly #cookies = new Map<string, string>()

  /** Values of Set-Cookie fields. One that has expired, or lives no second, is forgotten. */
  take(fields: readonly string[]): void {
    for (const field of fields) {
      const [pair = '', ...attributes] = field.split(';')
      const equals = pair.indexOf('=')
      const name = pair.slice(0, equals).trim()
      if (equals < 0 || name === '') continue
      if (attributes.some(isOver)) this.#cookies.delete(name)
      else this.#cookies.set(name, pair.slice(equals + 1).trim())
    }
  }

  /** The Cookie field for a request; empty when there are none. */
  header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }
}

function isOver(attribute: string): boolean {
  const [name = '', value = ''] = attribute.split('=').map((part) => part.trim().toLowerCase())
  if (name === 'max-age') return Number(value) <= 0
  return name === 'expires' && Date.parse(value) <= Date.now()
}
