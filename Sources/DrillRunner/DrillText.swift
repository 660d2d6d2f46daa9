import Foundation
import LoadGenerator
import OakumModel

/// The outcome of a drill as people read it.
package enum DrillText {
    /// Verdict, the three arms side by side, and the incident's times beside those of the drill.
    package static func render(_ report: DrillReport) -> String {
        var lines = ["drill \(report.scenario): \(headline(report))", ""]
        lines += report.reasons.flatMap { wrapped("  - " + $0) }
        if !report.reasons.isEmpty { lines.append("") }
        lines += table(arms(report))
        if let naming = report.protected.naming, let site = naming.site {
            lines += ["", "  the leak comes from \(site)"]
            let chain = (naming.chain ?? []).isEmpty ? [naming.type ?? "unknown type"] : naming.chain ?? []
            lines += chain.enumerated().map { "  " + String(repeating: "  ", count: $0) + ($0 > 0 ? "→ " : "") + $1 }
        }
        if let observed = report.observed { lines += [""] + Self.observed(observed).flatMap(wrapped) }
        if !report.thenNow.isEmpty {
            lines.append("")
            lines += table(moments(report))
            lines += ["", "then: after the first sign of the incident; now: after the first request of the drill"]
        }
        return lines.joined(separator: "\n")
    }

    private static func headline(_ report: DrillReport) -> String {
        switch report.exit {
        case DrillJudgement.Exit.passed where report.control == nil:
            "PASSED: no leak was told, and the cause was called by its name"
        case DrillJudgement.Exit.passed: "PASSED: no request failed under Oakum, the leak was caught, the fix is quiet"
        case DrillJudgement.Exit.showsNothing: "SHOWS NOTHING, neither good nor bad"
        default: "FAILED"
        }
    }

    private static func arms(_ report: DrillReport) -> [[String]] {
        let loads = [report.control?.load, report.protected.load, report.patched?.load]
        var rows = [["", "control", "protected", "patched"]]
        rows.append(["requests"] + loads.map { $0.map { grouped($0.requests) } ?? "–" })
        rows.append(["failed"] + loads.map { $0.map { grouped($0.failed) } ?? "–" })
        for kind in FailureKind.allCases where loads.contains(where: { ($0?.failures[kind] ?? 0) > 0 }) {
            rows.append(["  " + kind.rawValue] + loads.map { $0.map { grouped($0.failures[kind]) } ?? "–" })
        }
        rows.append(
            [
                "first failure", seconds(report.control?.firstFailureSeconds),
                seconds(report.protected.impactOnsetSeconds), "–",
            ])
        rows.append(["worst p99"] + loads.map { $0?.worstP99Milliseconds.map(milliseconds) ?? "–" })
        rows.append(["restarts", report.control.map { "\($0.restarts)" } ?? "–", "–", "–"])
        if let move = report.control?.wrongMove {
            rows.append(["restarted by hand", "at \(seconds(move.restartedSeconds))", "–", "–"])
            rows.append(["", "as full after \(seconds(move.backAfterSeconds))", "–", "–"])
        }
        rows.append(["recycles", "–", "\(report.protected.recycles)", "–"])
        rows.append(["verdict", "–", report.protected.verdict.rawValue, report.patched?.verdict.rawValue ?? "–"])
        if let bought = report.protected.restartBuys {
            rows.append(["a recycle buys", "–", "\(seconds(bought.predicted)) predicted", "–"])
            rows.append(["", "–", "\(seconds(bought.observed)) observed", "–"])
        }
        if let cause = report.protected.firstCause {
            rows.append(["first cause", "–", cause, "–"])
            rows.append(["", "–", "after \(seconds(report.protected.firstCauseSeconds))", "–"])
            if !report.protected.misledBy.isEmpty {
                rows.append(["taken back", "–", report.protected.misledBy.joined(separator: ", "), "–"])
            }
        }
        if let naming = report.protected.naming {
            rows.append(["named", "–", seconds(naming.namedSeconds), "–"])
        }
        if let paging = report.protected.paging {
            rows.append(["paged", "–", seconds(paging.pagedSeconds), "–"])
            rows.append(["acknowledged", "–", seconds(paging.ackedSeconds), "–"])
            rows.append(["the first page has the cause", "–", paging.pageHasCause ? "yes" : "no", "–"])
        }
        if let own = report.protected.ownMemory {
            rows.append(["Oakum's own memory", "–", "\(mebibytes(own.first)) at first", "–"])
            rows.append(["", "–", "\(mebibytes(own.last)) at last", "–"])
        }
        return rows
    }

    /// What the business was told, and whether it was right.
    private static func observed(_ report: ObservedReport) -> [String] {
        let restarts = "\(report.kills) workers were killed over their budget"
        var lines = [
            "  observed: nothing was recycled, \(restarts); \(grouped(report.load.failed)) of "
                + "\(grouped(report.load.requests)) requests failed",
            "  detected after \(seconds(report.detectedSeconds)), users affected after "
                + "\(seconds(report.impactOnsetSeconds)) (lead time \(seconds(report.leadTimeSeconds))), the business told "
                + "after \(seconds(report.messageSeconds)), restored after \(seconds(report.restoredSeconds))",
        ]
        lines += report.messages.map { "  told at \(seconds($0.seconds)): \($0.text)" }
        if let business = report.business {
            let right = business.isRight ? "right" : "WRONG"
            lines.append(
                "  \(business.what): told \(percent(business.percentTold)), counted by the load "
                    + "\(percent(business.percentCounted)) (\(Int(business.counted)) of \(Int(business.expectedCounted))), "
                    + "\(right) within \(business.tolerancePoints) points")
        }
        return lines
    }

    /// "−50.2 %".
    static func percent(_ value: Double) -> String {
        String(format: value < 0 ? "−%.1f %%" : "+%.1f %%", abs(value))
    }

    private static func moments(_ report: DrillReport) -> [[String]] {
        [["", "then", "now"]]
            + report.thenNow.map { moment in
                let now =
                    switch moment.now {
                    case .notMeasured: "not measured"
                    case .never: "never"
                    case .after(let after): seconds(after)
                    }
                return [moment.what, minutes(moment.thenSeconds), now]
            }
    }

    private static func table(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            return "  " + cells.joined(separator: "   ")
        }
    }

    /// At most 100 characters a line.
    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            for word in paragraph.split(separator: " ", omittingEmptySubsequences: false) {
                if !line.isEmpty, line.count + word.count >= 100 {
                    lines.append(line)
                    line = "    "
                } else if !line.isEmpty {
                    line += " "
                }
                line += word.isEmpty && line.isEmpty ? " " : word
            }
            lines.append(line)
        }
        return lines
    }

    private static func mebibytes(_ bytes: Int64) -> String {
        String(format: "%.1f MiB", Double(bytes) / 1_048_576)
    }

    static func seconds(_ value: Double?) -> String {
        value.map { String(format: "%.1f s", $0) } ?? "–"
    }

    private static func milliseconds(_ value: Double) -> String {
        String(format: value < 10 ? "%.1f ms" : "%.0f ms", value)
    }

    private static func minutes(_ value: Double) -> String {
        let minutes = value / 60
        return minutes == minutes.rounded() ? "\(Int(minutes)) min" : String(format: "%.1f min", minutes)
    }

    static func grouped(_ number: UInt64) -> String {
        var digits = Array(String(number))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }
}
