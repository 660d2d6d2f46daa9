import OakumAPI
import OakumModel

/// How values are shown to people. `share/oakum/www/format.js` says the same for live updates.
enum Shown {
    /// "182.4 MiB"; "–" when it is not known.
    static func bytes(_ count: ByteCount?) -> String {
        count.map(\.description) ?? "–"
    }

    /// A limit, which people set in round numbers: "256 MiB", not "256.0 MiB".
    static func limit(_ count: ByteCount) -> String {
        let text = count.description
        guard let point = text.firstIndex(of: "."), text[point...].hasPrefix(".0 ") else { return text }
        return String(text[..<point]) + text[point...].dropFirst(2)
    }

    /// Share of the budget in whole percent; nil without a reading or a budget.
    static func percent(_ part: ByteCount?, of whole: ByteCount) -> Int? {
        guard let part, whole.bytes > 0 else { return nil }
        return Int((Double(part.bytes) / Double(whole.bytes) * 100).rounded())
    }

    /// "41 s", "12 min", "3.0 h", "5.2 d".
    static func seconds(_ value: Double) -> String {
        guard value.isFinite, value >= 0, value < 1e12 else { return "–" }
        if value < 120 { return "\(Int(value.rounded())) s" }
        if value < 7200 { return "\(Int((value / 60).rounded())) min" }
        if value < 172_800 { return "\(tenths(value / 3600)) h" }
        return "\(tenths(value / 86_400)) d"
    }

    static func tenths(_ value: Double) -> String {
        let scaled = Int64((value * 10).rounded())
        return "\(scaled / 10).\(abs(scaled % 10))"
    }

    /// Cores in use: "0.31".
    static func cores(_ value: Double?) -> String {
        guard let value, value.isFinite, value >= 0, value < 1e6 else { return "–" }
        let scaled = Int64((value * 100).rounded())
        return "\(scaled / 100).\(CivilTime.padded(Int(scaled % 100)))"
    }

    /// With thin spaces between thousands: "1 204 881".
    static func count(_ value: Double?) -> String {
        guard let value, value.isFinite, value >= 0, value < 1e15 else { return "–" }
        let digits = Array(String(Int64(value.rounded())))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "\u{202F}" }
            text.append(digit)
        }
        return text
    }

    static func phase(_ phase: WorkerPhase) -> String {
        switch phase {
        case .starting: "Starting"
        case .serving: "Serving"
        case .draining: "Draining"
        case .down: "Down"
        }
    }

    static func verdict(_ code: VerdictCode) -> String {
        switch code {
        case .leak: "Leak"
        case .cacheFill: "Cache fill"
        case .fragmentation: "Fragmentation"
        case .load: "Load"
        case .warmUp: "Warm-up"
        case .step: "Step"
        case .steady: "Steady"
        case .notEnoughData: "Not enough data"
        }
    }

    /// The summary without the verdict it begins with: that stands beside it.
    static func detail(of worker: WorkerStatus) -> String {
        let word = verdict(worker.verdict.code).lowercased()
        let summary = worker.summary
        guard summary.lowercased().hasPrefix(word) else { return summary }
        let rest = summary.dropFirst(word.count)
        if rest.isEmpty { return "" }
        guard rest.hasPrefix(": ") else { return summary }
        return rest.dropFirst(2).prefix(1).uppercased() + rest.dropFirst(3)
    }

    /// Numbers stay on one line with their unit, and the two ends of an interval together.
    static func glued(_ text: String) -> String {
        let units: Set<Substring> = ["s", "min", "h", "d", "B", "KiB", "MiB", "GiB", "TiB", "%"]
        var glued = ""
        var afterNumber = false
        for (index, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
            let unit = word.prefix { $0.isLetter || $0 == "%" }
            if index > 0 { glued += afterNumber && units.contains(unit) ? "\u{00A0}" : " " }
            glued += word
            afterNumber = word.last?.isNumber == true
        }
        return glued.split(separator: "–", omittingEmptySubsequences: false).reduce(into: "") { text, part in
            if part.startIndex == glued.startIndex {
                text += part
            } else {
                let interval = text.last?.isNumber == true && part.first?.isNumber == true
                text += interval ? "\u{2060}–\u{2060}\(part)" : "–\(part)"
            }
        }
    }

    static func event(_ kind: EventKind) -> String {
        switch kind {
        case .watchStarted: "Watch started"
        case .watchStopped: "Watch stopped"
        case .paused: "Paused"
        case .resumed: "Resumed"
        case .workerStarted: "Worker started"
        case .workerReady: "Worker ready"
        case .workerExited: "Worker exited"
        case .workerFailed: "Worker failed"
        case .verdict: "Verdict"
        case .recycleStarted: "Recycle started"
        case .recycleFinished: "Recycled"
        case .recycleFailed: "Recycle failed"
        case .recycleWithheld: "Recycle withheld"
        case .slopeAfterwards: "Slope afterwards"
        case .leakNamed: "Leak named"
        case .leakNotNamed: "Leak not named"
        case .diagnosed: "Cause"
        case .symptom: "Symptom"
        case .symptomOver: "Symptom over"
        case .deploy: "Deploy"
        case .release: "Release"
        case .command: "Command"
        case .problem: "Problem"
        }
    }

    /// The state of everything in one sentence.
    static func lede(_ overview: Overview) -> String {
        let workers = overview.services.flatMap(\.workers)
        let desired = overview.services.reduce(0) { $0 + $1.desiredWorkers }
        let serving = workers.count { $0.phase == .serving }
        let leaking = workers.count { $0.verdict.code == .leak }
        let recycling = overview.services.contains(where: \.recycling)
        if overview.services.isEmpty { return "No services are configured." }
        if serving == 0 { return "No worker is serving." }
        let share = serving >= desired ? "All \(desired) workers serve." : "\(serving) of \(desired) workers serve."
        return "\(share) \(leakSentence(leaking, recycling: recycling, overview.oakum))"
    }

    private static func leakSentence(_ leaking: Int, recycling: Bool, _ oakum: OakumStatus) -> String {
        guard leaking > 0 else { return "No leak in sight." }
        let who = leaking == 1 ? "One worker leaks" : "\(leaking) workers leak"
        if oakum.observeOnly { return "\(who); observe-only, so nothing is recycled." }
        if oakum.paused { return "\(who); acts are paused, so nothing is recycled." }
        if recycling { return "\(who); a recycle is under way." }
        return "\(who) and will be recycled before the budget is reached."
    }
}
