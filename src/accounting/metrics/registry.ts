/** Counters and histograms, and the text that Prometheus reads. Counting is an addition; everything else waits for a scrape. */

export type LabelValues = readonly string[]

/** Label sets that are kept, of all metrics together. What comes later is counted under `other`. */
export const MAX_SERIES = 1_000
export const OTHER = 'other'

export interface Description {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

export interface CounterSeries {
  value: number
}

export class HistogramSeries {
  readonly bounds: readonly number[]
  /** One more than bounds: what is larger than all of them. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    if (!(value >= 0)) return
    const { bounds, counts } = this
    let index = 0
    while (index < bounds.length && value > (bounds[index] as number)) index++
    counts[index] = (counts[index] as number) + 1
    this.sum += value
  }
}

interface Metric<Series> extends Description {
  readonly type: 'counter' | 'histogram'
  readonly series: Map<string, { readonly labels: LabelValues; readonly series: Series }>
  of(...labels: LabelValues): Series
}

export class Registry {
  readonly #counters: Metric<CounterSeries>[] = []
  readonly #histograms: Metric<HistogramSeries>[] = []
  readonly #max: number
  #size = 0

  constructor(max = MAX_SERIES) {
    this.#max = max
  }

  /** Label sets in use. */
  get size(): number {
    return this.#size
  }

  counter(name: string, help: string, ...labels: readonly string[]): Metric<CounterSeries> {
    const metric = this.#metric('counter', { name, help, labels }, () => ({ value: 0 }))
    this.#counters.push(metric)
    return metric
  }

  histogram(name: string, help: string, bounds: readonly number[], ...labels: readonly string[]): Metric<HistogramSeries> {
    const metric = this.#metric('histogram', { name, help, labels }, () => new HistogramSeries(bounds))
    this.#histograms.push(metric)
    return metric
  }

  get descriptions(): readonly (Description & { readonly type: string })[] {
    return [...this.#counters, ...this.#histograms]
  }

  render(): string {
    const lines: string[] = []
    for (const metric of this.#counters) {
      head(metric, lines)
      for (const { labels, series } of metric.series.values()) lines.push(line(metric.name, metric.labels, labels, series.value))
    }
    for (const metric of this.#histograms) {
      head(metric, lines)
      for (const { labels, series } of metric.series.values()) {
        let count = 0
        series.counts.forEach((each, index) => {
          count += each
          lines.push(line(`${metric.name}_bucket`, [...metric.labels, 'le'], [...labels, String(series.bounds[index] ?? '+Inf')], count))
        })
        lines.push(
          line(`${metric.name}_sum`, metric.labels, labels, series.sum),
          line(`${metric.name}_count`, metric.labels, labels, count),
        )
      }
    }
    return `${lines.join('\n')}\n`
  }

  #metric<Series>(type: Metric<Series>['type'], description: Description, create: () => Series): Metric<Series> {
    const all: Metric<Series>['series'] = new Map()
    const at = (labels: LabelValues): Series | undefined => all.get(labels.join('\n'))?.series
    const put = (labels: LabelValues): Series => {
      const series = create()
      all.set(labels.join('\n'), { labels, series })
      return series
    }
    return {
      ...description,
      type,
      series: all,
      of: (...labels) => {
        const known = at(labels)
        if (known) return known
        if (this.#size < this.#max) {
          this.#size++
          return put(labels)
        }
        const others = labels.map(() => OTHER)
        return at(others) ?? put(others)
      },
    }
  }
}

const head = ({ name, help, type }: Description & { type: string }, lines: string[]): unknown =>
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)

/** A value that is known only when it is asked for. */
export interface Gauge extends Description {
  readonly type: 'gauge' | 'counter'
  read(): Iterable<readonly [labels: LabelValues, value: number]>
}

export function renderGauges(gauges: readonly Gauge[]): string {
  const lines: string[] = []
  for (const gauge of gauges) {
    head(gauge, lines)
    let left = MAX_SERIES
    for (const [labels, value] of gauge.read()) if (left-- > 0) lines.push(line(gauge.name, gauge.labels, labels, value))
  }
  return `${lines.join('\n')}\n`
}

function line(name: string, names: readonly string[], values: LabelValues, value: number): string {
  const labels = names.map((each, index) => `${each}="${escaped(values[index] ?? '')}"`).join(',')
  return `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}`
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const numberText = (value: number): string =>
  Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
