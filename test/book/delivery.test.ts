/** The container and the Kubernetes manifests in deploy/, by those who know their formats, and by what uwas itself does. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Service } from 'kubernetes-models/v1/Service'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { urlconf } from '../../src/index.ts'
import { parseConfig } from '../../src/was/config.ts'
import { DEFAULT_WORKERS } from '../../src/was/worker-limits.ts'
import { ROOT } from '../support/sources.ts'

const KINDS = { Deployment, PodDisruptionBudget, Service }
/** What a supervisor gives its workers to close in, and some more (src/supervisor/crew.ts). */
const CLOSE_SECONDS = 15

function read(name: string): string {
  return readFileSync(join(ROOT, 'deploy', name), 'utf8')
}

function manifests() {
  const documents = parseAllDocuments(read('kubernetes.yaml'), { strict: true, uniqueKeys: true })
  return documents.map((document) => {
    const { errors, warnings } = document
    if (errors.length + warnings.length > 0) throw errors[0] ?? warnings[0]
    return document.toJS() as { readonly kind: keyof typeof KINDS }
  })
}

function deployment(): Deployment {
  return manifests().find(({ kind }) => kind === 'Deployment') as unknown as Deployment
}

const config = parseConfig({ urls: urlconf() }, { file: '/site/uwas.config.ts', env: {} })

t.test('the Dockerfile has no problem, and runs as nobody in particular', async (t) => {
  t.strictSame(validate(read('Dockerfile')), [])
  t.match(read('Dockerfile'), /^USER [1-9]\d*:[1-9]\d*$/m)
  t.match(read('Dockerfile'), new RegExp(`^EXPOSE ${config.port}$`, 'm'))
  t.ok(validate('FROM node\nEXPOSE x\n').length > 0, 'a mistake would be found')
})

t.test('the manifests are what their schemas say', async (t) => {
  const kinds = manifests().map((manifest) => {
    new KINDS[manifest.kind](manifest as never).validate()
    return manifest.kind
  })
  t.strictSame(kinds, ['Deployment', 'Service', 'PodDisruptionBudget'])
  const broken = { ...deployment(), spec: { replicas: 'three' } }
  t.throws(() => new Deployment(broken as never).validate(), /replicas/, 'a mistake would be found')
})

t.test('the probes ask what uwas answers, and its end has the time that it takes', async (t) => {
  const pod = deployment().spec?.template.spec
  const [container] = pod?.containers ?? []
  t.equal(container?.startupProbe?.httpGet?.path, config.health?.alivePath)
  t.equal(container?.livenessProbe?.httpGet?.path, config.health?.alivePath)
  t.equal(container?.readinessProbe?.httpGet?.path, config.health?.readyPath)
  t.match(container?.ports, [{ name: 'http', containerPort: config.port }])
  const sleeps = container?.lifecycle?.preStop?.sleep?.seconds ?? 0
  const probes = container?.readinessProbe
  t.ok(sleeps >= (probes?.periodSeconds ?? 0) * (probes?.failureThreshold ?? 0))
  const needed = sleeps + DEFAULT_WORKERS.graceMs / 1000 + CLOSE_SECONDS
  t.ok((pod?.terminationGracePeriodSeconds ?? 0) >= needed)
})

t.test('a rolling update takes no pod away before another one is ready', async (t) => {
  const { spec } = deployment()
  t.match(spec?.strategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } })
  t.ok((spec?.replicas ?? 0) > 1)
  t.strictSame(spec?.selector.matchLabels, spec?.template.metadata?.labels)
})
