import Diagnosis
import OakumAPI
import OakumModel

/// One service: its facts, its chart, its workers.
struct ServiceSection {
    var service: ServiceStatus
    /// For the identifiers inside the page.
    var index: Int
    var now: Moment
    var hasCharts: Bool

    var markup: Markup {
        """
        <section class="service" data-service="\(service.name)" data-budget="\(service.budget.bytes)" \
        aria-labelledby="service-\(index)">
        <header class="service-head">
        <h2 id="service-\(index)">\(service.name)</h2>
        <a class="address" href="http://\(service.address)/">\(service.address)</a>
        <p class="recycling" data-field="recycling"\(ConsolePage.hidden(!service.recycling))>Recycling a worker</p>
        <dl class="facts">
        <div><dt>Serving</dt><dd data-field="serving">\(serving) of \(service.desiredWorkers)</dd></div>
        <div><dt>Never below</dt><dd>\(service.capacityFloor)</dd></div>
        <div><dt>Budget a worker</dt><dd>\(Shown.limit(service.budget))</dd></div>
        <div><dt>Recycled</dt><dd data-field="recycles">\(service.recycles)×</dd></div>
        </dl>
        <p class="cause" data-field="trouble"\(ConsolePage.hidden(trouble.isEmpty))>\(trouble)</p>
        </header>
        \(chart)
        <div class="table-frame"><table class="workers" role="table" aria-labelledby="service-\(index)">
        <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Worker</th>\
        <th role="columnheader" scope="col">State</th><th role="columnheader" scope="col">Memory</th>\
        <th role="columnheader" scope="col">Verdict and forecast</th>\
        <th role="columnheader" scope="col" class="right">CPU</th>\
        <th role="columnheader" scope="col" class="right">Requests</th>\
        <th role="columnheader" scope="col" class="right">Up</th></tr></thead>
        <tbody role="rowgroup">\(rows)</tbody>
        </table></div>
        </section>
        """
    }

    /// What is wrong beside the workers' verdicts, and why.
    private var trouble: String {
        ((service.symptoms ?? []) + [service.diagnosis?.summary].compactMap { $0 }).joined(separator: ". ")
    }

    private var serving: Int { service.workers.count { $0.phase == .serving } }

    private var rows: [Markup] {
        service.workers.map { worker in
            let heap = service.samplesHeap == true ? HeapQuery(service: service.name, worker: worker.number) : nil
            return WorkerRow(worker: worker, budget: service.budget, now: now, heap: heap).markup
        }
    }

    private var chart: Markup {
        guard hasCharts else {
            return """
                <p class="no-chart">No charts: dygraphs is not installed. On Debian: \
                <code>apt install libjs-dygraphs</code>, then reload.</p>
                """
        }
        return """
            <noscript><p class="no-chart">The chart needs JavaScript; the table below has the current values.</p></noscript>
            <figure class="chart" data-field="chart" hidden>
            <figcaption><span class="chart-title">Resident memory</span>\
            <span class="chart-legend" data-field="legend"></span>\
            <span class="spans" role="group" aria-label="Time span of the chart"></span></figcaption>
            <div class="plot-frame"><div class="plot" data-field="plot" role="img" \
            aria-label="Memory of each worker of \(service.name) over time; the table below has the current values">\
            </div><div class="readout" data-field="readout" hidden></div></div>
            </figure>
            """
    }
}
