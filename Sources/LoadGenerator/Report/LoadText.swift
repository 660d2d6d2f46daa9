/// The outcome of a load run as people read it on a terminal.
package enum LoadText {
    package static func render(_ outcome: LoadOutcome) -> String {
        let report = outcome.report
        var lines = ["\(outcome.name): \(outcome.headline)"]
        lines += (outcome.judgement.reasons + outcome.judgement.remarks).map { "  - " + $0 }
        lines += ["", "  \(outcome.load)", "  \(outcome.targets.joined(separator: ", "))", ""]
        let rate = Figures.number(outcome.goodPerSecond, places: 1)
        lines.append(
            "  \(Figures.grouped(report.requests)) requests in \(Figures.seconds(report.seconds)), \(rate)/s answered as "
                + "expected, \(Figures.grouped(report.failed)) failed\(failures(report))")
        lines += [""] + table(endpoints(report)).map { "  " + $0 }
        lines += ["", "  latency counts from \(outcome.loop == .open ? "the schedule" : "the moment of sending")"]
        lines += memory(outcome.memory)
        lines += thresholds(outcome.judgement)
        lines += ["", "  generator: " + generator(report)]
        if !report.notes.isEmpty {
            lines += ["", "  first failures:"] + report.notes.prefix(5).map { "    " + $0 }
        }
        return lines.joined(separator: "\n")
    }

    /// A line for while it runs.
    package static func progress(_ snapshot: LoadSnapshot, of seconds: Double, memoryBytes: UInt64?) -> String {
        switch snapshot.phase {
        case .waiting: return "connecting"
        case .preparing(let done, let total): return "preparing: \(done) of \(total)"
        case .sending, .finished: break
        }
        var parts = ["\(Figures.seconds(min(snapshot.seconds, seconds))) of \(Figures.seconds(seconds))"]
        parts.append("\(Figures.grouped(snapshot.requests)) requests")
        parts.append(snapshot.failed == 0 ? "none failed" : "\(snapshot.failures)")
        if let p99 = snapshot.p99Milliseconds { parts.append("p99 \(Figures.milliseconds(p99))") }
        parts.append("\(snapshot.openConnections) connections")
        if snapshot.users > 0 { parts.append("\(snapshot.users) users") }
        if let memoryBytes { parts.append("target \(Figures.bytes(Double(memoryBytes)))") }
        return parts.joined(separator: ", ")
    }

    private static func failures(_ report: LoadReport) -> String {
        report.failures == FailureCounts() ? "" : " (\(report.failures))"
    }

    static let columns = ["request", "requests", "failed", "p50", "p90", "p99", "p99.9", "max"]

    static func endpoints(_ report: LoadReport) -> [[String]] {
        var rows = [columns]
        if report.streams.count > 1 {
            rows.append(row("all", report.requests, report.failed, report.latency))
        }
        rows += report.streams.map { row($0.name, $0.requests, $0.failed, $0.latency) }
        return rows
    }

    private static func row(_ name: String, _ requests: UInt64, _ failed: UInt64, _ latency: LatencySummary?)
        -> [String]
    {
        let values = latency.map { [$0.p50, $0.p90, $0.p99, $0.p999, $0.max].map(Figures.milliseconds) }
        return [name, Figures.grouped(requests), Figures.grouped(failed)] + (values ?? Array(repeating: "–", count: 5))
    }

    private static func memory(_ memory: TargetMemory?) -> [String] {
        guard let memory else { return [] }
        guard let first = memory.firstBytes, let last = memory.lastBytes, let peak = memory.peakBytes else {
            return ["", "  memory of the target: no reading"]
        }
        let growth = memory.growthBytes.map { ", growth after the warm-up \(Figures.bytes($0))" } ?? ""
        let figures = [first, last, peak].map { Figures.bytes(Double($0)) }
        return [
            "", "  memory of the target: \(figures[0]) at first, \(figures[1]) at last, \(figures[2]) at most\(growth)",
        ]
    }

    private static func thresholds(_ judgement: LoadJudgement) -> [String] {
        guard !judgement.thresholds.isEmpty else { return [] }
        return ["", "  thresholds:"]
            + judgement.thresholds.map { result in
                let state = result.state.rawValue
                let value = result.measured.map { ": \($0)" } ?? ""
                let why = result.why.map { " (\($0))" } ?? ""
                return "    " + state + String(repeating: " ", count: 10 - state.count) + result.threshold + value + why
            }
    }

    static func generator(_ report: LoadReport) -> String {
        var parts: [String] = []
        if let busy = report.busyShare {
            parts.append("used \(Figures.number(busy * 100, places: 0)) % of a processor")
        }
        if let delay = report.sendDelayP99Milliseconds {
            parts.append("sent at most \(Figures.milliseconds(delay)) late (p99)")
        }
        parts.append("\(Figures.grouped(report.connectionsOpened)) connections opened")
        if let bytes = report.bytesReceived { parts.append("\(Figures.bytes(Double(bytes))) received") }
        return parts.joined(separator: ", ")
    }

    /// Rows as lines: the first column to the left, the others to the right.
    private static func table(_ rows: [[String]]) -> [String] {
        let widths = (0..<columns.count).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { number, cell in
                let space = String(repeating: " ", count: widths[number] - cell.count)
                return number == 0 ? cell + space : space + cell
            }.joined(separator: "  ")
        }
    }
}
