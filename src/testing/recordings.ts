/**
 * What each request of the test client makes the site do, however many are answered at once: a field of the
 * request names where to note it.
 */
import type { App } from '../app.ts'
import type { Recording } from '../core/trace.ts'
import { currentRecording, recorded } from '../model/recorded.ts'
import type { Handler } from '../was/dispatch.ts'

/** Views see it among all fields; nothing else looks at it. */
const FIELD = 'x-uwas-test-request'

export class Recordings {
  readonly #open = new Map<string, Recording>()
  #count = 0

  /** The application, noting. It has to record timings. */
  around(app: App): App {
    const { dispatch, notFound, tooLarge } = app
    const [one, two, three] = [dispatch, notFound, tooLarge].map((each) => this.#noting(each))
    return { ...app, dispatch: one, notFound: two, tooLarge: three } as App
  }

  /** Sends a request with its field; what it made the site do counts for `expectQueries` around it, too. */
  async of<T>(
    headers: Headers,
    send: () => Promise<T>,
  ): Promise<[result: T, recording: Recording]> {
    const around = currentRecording()
    const id = String(++this.#count)
    const recording: Recording = { statements: [], templates: [] }
    this.#open.set(id, recording)
    headers.set(FIELD, id)
    try {
      const result = await send()
      return [
        result,
        { statements: [...recording.statements], templates: [...recording.templates] },
      ]
    } finally {
      this.#open.delete(id)
      around?.statements.push(...recording.statements)
    }
  }

  #noting(handler: Handler): Handler {
    return (req) => {
      const recording = this.#open.get(req.header(FIELD) ?? '')
      if (recording === undefined) return handler(req)
      if (req.trace !== null) req.trace.recording = recording
      return recorded(recording, () => handler(req))
    }
  }
}
