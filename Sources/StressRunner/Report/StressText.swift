import Foundation
import LeakTrial

/// A stress test for people who look at a terminal.
package enum StressText {
    package static func render(_ report: StressReport) -> String {
        var lines: [String] = []
        for endpoint in report.endpoints { lines += block(endpoint) }
        let leaks = report.endpoints.filter { $0.verdict == .leak }.count
        lines.append("")
        switch report.verdict {
        case .clean: lines.append("clean: \(count(report.endpoints.count)), none keeps memory")
        case .leak: lines.append("LEAK: \(leaks) of \(count(report.endpoints.count))")
        case .inconclusive: lines.append("inconclusive; \(seen(report.smallestDetectable))")
        case .nothingMeasured: lines.append("nothing was measured")
        }
        return lines.joined(separator: "\n")
    }

    private static func block(_ endpoint: EndpointReport) -> [String] {
        var lines = ["\(mark(endpoint.verdict)) \(endpoint.name): \(headline(endpoint))"]
        for remark in endpoint.remarks { lines.append("    \(remark)") }
        for site in endpoint.sites.prefix(3) {
            lines.append("    \(bytes(site.bytesPerOperation)) a request at \(site.site)")
            if let type = site.type { lines.append("      type \(type)") }
            if !site.chain.isEmpty { lines.append("      held by \(site.chain.joined(separator: " → "))") }
        }
        return lines
    }

    /// One line without the name.
    package static func headline(_ endpoint: EndpointReport) -> String {
        let requests = "\(Int(endpoint.requests)) requests, \(String(format: "%.1f", endpoint.seconds)) s"
        switch endpoint.verdict {
        case .clean:
            let ceiling = endpoint.ceilingBytes.map { ", a cache of \(bytes($0)) included" } ?? ""
            return "clean\(ceiling) (\(requests))"
        case .leak:
            let kind = endpoint.kind == .unboundedByKey ? " for each new key" : " a request"
            let interval = endpoint.bytesPerRequest.map {
                "\(bytes($0.estimate))\(kind) (\(bytes($0.low)) to \(bytes($0.high)))"
            }
            return "LEAK of \(interval ?? "unknown size") (\(requests))"
        case .inconclusive: return "inconclusive; \(seen(endpoint.smallestDetectable)) (\(requests))"
        case .nothingMeasured: return "nothing measured"
        }
    }

    private static func seen(_ bytesPerRequest: Double?) -> String {
        bytesPerRequest.map { "a leak of \(bytes($0)) a request would have been seen" }
            ?? "how small a leak would have been seen cannot be told"
    }

    private static func mark(_ verdict: TrialVerdict) -> String {
        switch verdict {
        case .clean: "✔"
        case .leak: "✘"
        case .inconclusive, .nothingMeasured: "?"
        }
    }

    private static func count(_ endpoints: Int) -> String { endpoints == 1 ? "1 endpoint" : "\(endpoints) endpoints" }

    static func interval(_ interval: GrowthInterval) -> String {
        "\(bytes(interval.low)) to \(bytes(interval.high))"
    }

    /// "31.5 B", "1.2 KiB", "64.0 MiB".
    static func bytes(_ value: Double) -> String {
        let size = abs(value)
        if size < 1_024 { return String(format: size < 100 ? "%.1f B" : "%.0f B", value) }
        if size < 1_048_576 { return String(format: "%.1f KiB", value / 1_024) }
        return String(format: "%.1f MiB", value / 1_048_576)
    }
}
