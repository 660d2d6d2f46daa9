import Diagnosis
import OakumAPI
import OakumModel

/// One worker in the table.
struct WorkerRow {
    var worker: WorkerStatus
    var budget: ByteCount
    var now: Moment
    /// Where its heap can be looked at; nil when it carries no sampler.
    var heap: HeapQuery?

    /// Colours repeat after this many workers, in table and chart alike.
    private static let colours: UInt32 = 8

    var markup: Markup {
        let rss = worker.latest?.rss
        let percent = Shown.percent(rss, of: budget)
        let pid = worker.process.map { "pid \($0.pid)" } ?? ""
        let age = worker.startedAt.map { Shown.seconds(now.uptime - $0.uptime) } ?? "–"
        return """
            <tr role="row" data-worker="\(worker.number)" data-phase="\(worker.phase.rawValue)" \
            data-verdict="\(worker.verdict.code.rawValue)" data-level="\(Self.level(percent))">
            <th role="rowheader" scope="row"><span class="swatch" data-colour="\(worker.number % Self.colours)" \
            aria-hidden="true"></span><span class="number">\(worker.number)</span> \
            <span class="pid"><span data-field="pid">\(pid)</span> \
            <a class="heap-link" data-field="heap" href="/heap?\(heap?.parameters ?? "")" \
            title="What lives in its memory, and what grew"\(ConsolePage.hidden(heap == nil || worker.process == nil))>\
            heap</a></span></th>
            <td role="cell" data-label="State"><span class="state" data-field="phase">\
            \(Shown.phase(worker.phase))</span></td>
            <td role="cell" data-label="Memory" class="memory"><span class="amount">\
            <b data-field="rss">\(Shown.bytes(rss))</b> <span data-field="percent">\
            \(percent.map { "\($0) %" } ?? "")</span></span>\
            \(bar(percent))</td>
            <td role="cell" data-label="Verdict" class="verdict"><span class="chip" data-field="verdict">\
            \(Shown.verdict(worker.verdict.code))</span> <span class="detail" data-field="detail">\
            \(Shown.glued(Shown.detail(of: worker)))</span>\
            <p class="cause" data-field="cause"\(ConsolePage.hidden(worker.diagnosis == nil))>\
            \(worker.diagnosis?.summary ?? "")</p>\
            <details data-field="evidence"\(ConsolePage.hidden(worker.verdict.evidence.isEmpty))>\
            <summary>Evidence</summary><ul>\(worker.verdict.evidence.map { "<li>\($0)</li>" })</ul></details>\
            <div class="leaks" data-field="leaks">\(ChainSteps.of(worker.leaks ?? []))</div></td>
            <td role="cell" data-label="CPU" class="right number" data-field="cpu">\(Shown.cores(worker.cpuCores))</td>
            <td role="cell" data-label="Requests" class="right number" data-field="requests">\
            \(Shown.count(worker.latest?.requests))</td>
            <td role="cell" data-label="Up" class="right number" data-field="age">\(age)</td>
            </tr>
            """
    }

    /// Width by attribute, not by style: the page allows no inline style.
    private func bar(_ percent: Int?) -> Markup {
        let width = min(max(percent ?? 0, 0), 100)
        return """
            <svg class="bar" role="img" aria-label="\(percent.map { "\($0) percent of the budget" } ?? "not known")" \
            data-field="bar" width="100%" height="6"><rect class="bar-track" width="100%" height="6" rx="3"/>\
            <rect class="bar-fill" width="\(width)%" height="6" rx="3"/></svg>
            """
    }

    /// How near the budget is: decides the colour of the bar.
    static func level(_ percent: Int?) -> String {
        switch percent {
        case nil: "unknown"
        case let value? where value >= 85: "high"
        case let value? where value >= 65: "raised"
        default: "normal"
        }
    }

    /// What the page's script makes new rows from.
    static let template: Markup = {
        let blank = WorkerStatus(
            number: 0, phase: .starting, process: nil, startedAt: nil, latest: nil, cpuCores: nil,
            verdict: Verdict(code: .notEnoughData), summary: "")
        let now = Moment(uptime: Uptime(seconds: 0), wall: WallTime(milliseconds: 0))
        return "<template id=\"worker-template\">\(WorkerRow(worker: blank, budget: .zero, now: now).markup)</template>"
    }()
}
