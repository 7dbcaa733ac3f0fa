/** The guards of a site by its configuration. Called by `app.ts` and by commands that look at a site. */
import type { SiteConfig } from '../config-types.ts'
import type { ErrorPages } from '../error-pages.ts'
import { type finishing, isPreflight } from '../finish.ts'
import type { SiteRules } from '../site-rules.ts'
import { createGuards, type SiteGuards } from './guards.ts'

/** A refusal is a reply like any other: its page, its CORS fields. Throws as `createGuards`. */
export function siteGuards(
  { access, limits }: SiteConfig,
  rules: SiteRules | null,
  errorPages: ErrorPages,
  finish: ReturnType<typeof finishing>,
): SiteGuards | null {
  return createGuards(
    { access, requests: limits.requests },
    {
      refused: (req, error) => finish((one) => errorPages(one, error))(req),
      isPreflight: (req) => rules !== null && isPreflight(rules, req),
    },
  )
}
