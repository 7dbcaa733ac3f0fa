/** What every template finds behind its data for the request that it is rendered for. Made by `render.ts`. */
import type { ServiceKey } from '../core/services.ts'
import type { Request } from '../http/request.ts'
import type { SafeHtml } from '../template/safe-html.ts'
import { cspNonce } from './csp.ts'
import { csrfField, csrfToken } from './csrf/csrf.ts'
import { type FlashMessage, messages } from './flash.ts'
import type { PageFragments } from './fragments.ts'

/** The tags of a page, in `req.services`; not there where the site has none to offer. */
export const PAGE_TAGS: ServiceKey<(req: Request, fragments?: PageFragments) => object> = {
  name: 'page tags',
  hint: 'set `secrets`, or a policy with a nonce, in uwas.config.ts',
}

/**
 * Nothing is made before a tag names it: a page without a form stays one for everybody. In a fragment that is
 * kept for others they are UWAS_ERR_WAS_FRAGMENT.
 */
export class PageTags {
  readonly #req: Request
  readonly #fragments: PageFragments | undefined
  #messages: readonly FlashMessage[] | undefined

  constructor(req: Request, fragments?: PageFragments) {
    this.#req = req
    this.#fragments = fragments
  }

  get csrfField(): SafeHtml {
    this.#fragments?.refusePersonal('csrfField')
    return csrfField(this.#req)
  }

  get csrfToken(): string {
    this.#fragments?.refusePersonal('csrfToken')
    return csrfToken(this.#req)
  }

  get cspNonce(): string {
    this.#fragments?.refusePersonal('cspNonce')
    return cspNonce(this.#req)
  }

  /** A layout may name them twice: once to ask whether there are any. */
  get messages(): readonly FlashMessage[] {
    this.#fragments?.refusePersonal('messages')
    this.#messages ??= messages(this.#req)
    return this.#messages
  }
}

/** What stands for them where the site does not have them: nothing. */
export const NO_PAGE_TAGS = Object.freeze({
  csrfField: '',
  csrfToken: '',
  cspNonce: '',
  messages: [],
})

/** For `uwas check`. */
export const PAGE_TAG_NAMES: readonly string[] = Object.keys(NO_PAGE_TAGS)
