/** HTML that a site vouches for: it passes `{{x}}` in text as it is. Used by views and the runtime. */

/** Made by `safeHtml` alone. */
export class SafeHtml {
  readonly #html: string

  constructor(html: string) {
    this.#html = html
  }

  toString(): string {
    return this.#html
  }
}

/**
 * Says that `html` may stand in a page as it is: it was made by the site, or cleaned by a library made for
 * that. Never for what a client has sent. In attributes it is escaped like any text. `uwas check` lists
 * where it is called, beside the tags with three braces.
 */
export function safeHtml(html: string): SafeHtml {
  return new SafeHtml(html)
}

/** Schemes that a URL of a page may have. */
const GOOD_SCHEMES = new Set(['http', 'https', 'mailto', 'tel', 'sms', 'ftp'])
const IMAGE = /^data:image\/(?:png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/=]*$/i

/**
 * The text as a URL that runs no script: one with another scheme, or a colon where no scheme can be, becomes
 * `about:invalid`, so that it runs none behind another value either. Browsers leave out tabs, line ends and
 * leading controls, so the scheme is looked for without them (URL standard, 4.4).
 */
export function safeUrl(text: string): string {
  if (!text.includes(':')) return text
  const stripped = strip(text)
  const [before] = /^[^:/?#\\]*:/.exec(stripped) ?? []
  const isGood = before === undefined || GOOD_SCHEMES.has(schemeOf(stripped) ?? '')
  return isGood || IMAGE.test(stripped) ? text : 'about:invalid'
}

/** Whether a URL that begins like this has one of the schemes that a page may have. */
export function hasGoodScheme(text: string): boolean {
  return GOOD_SCHEMES.has(schemeOf(strip(text)) ?? '')
}

function strip(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: just these are left out
  return text.replace(/[\t\n\r]/g, '').replace(/^[\u0000-\u0020]+/, '')
}

function schemeOf(stripped: string): string | undefined {
  return /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(stripped)?.[1]?.toLowerCase()
}

/**
 * A value as JSON that can neither end a script element nor begin another (HTML standard, 4.12.1.3), nor leave a
 * text in apostrophes or backticks, or a comment.
 */
export function scriptJson(value: unknown): string {
  const json = JSON.stringify(value) ?? 'null'
  return json.replace(/[<>&'`$\u2028\u2029]|\*\//g, (found) =>
    found === '*/' ? '*\\/' : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
