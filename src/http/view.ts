/** The shapes of user code: views, and middleware around them. */
import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

/** A reply as views may return it: uwas's own, or the web standard one. */
export type ViewResult = Reply | Response

/** Answers a request, or throws (`notFound()`, any error). Synchronous views cost nothing extra. */
export type View<P = Record<string, unknown>> = (
  req: Request<P>,
) => ViewResult | Promise<ViewResult>

/**
 * Runs around a view: answers itself, or returns what `next()` returns, changed or not. `next` never
 * throws or rejects for errors of views: it gives the error's page.
 */
export type Middleware = (
  req: Request,
  next: () => Reply | Promise<Reply>,
) => ViewResult | Promise<ViewResult>
