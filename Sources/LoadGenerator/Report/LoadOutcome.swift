/// Everything a load run has to say: what its reports are made from.
package struct LoadOutcome: Sendable {
    package var name: String
    /// Where it went, in words: "http://127.0.0.1:8080".
    package var targets: [String]
    /// What was sent, in words.
    package var load: String
    package var loop: LoadLoop
    /// When it began, as people write it: "2026-11-22 10:00:00 UTC".
    package var startedAt: String
    package var seed: UInt64
    package var report: LoadReport
    package var memory: TargetMemory?
    package var judgement: LoadJudgement

    package init(
        name: String, targets: [String], load: String, loop: LoadLoop, startedAt: String, seed: UInt64,
        report: LoadReport, memory: TargetMemory?, judgement: LoadJudgement
    ) {
        self.name = name
        self.targets = targets
        self.load = load
        self.loop = loop
        self.startedAt = startedAt
        self.seed = seed
        self.report = report
        self.memory = memory
        self.judgement = judgement
    }

    var headline: String {
        switch judgement.verdict {
        case .passed where judgement.thresholds.isEmpty: "measured, no threshold was asked for"
        case .passed: "PASSED: every threshold holds"
        case .crossed: "FAILED: a threshold is crossed"
        case .noEvidence where judgement.reasons.isEmpty: "UNDECIDED: a threshold cannot be told, none is crossed"
        case .noEvidence: "NO EVIDENCE, neither good nor bad"
        case .nothingMeasured: "NOTHING MEASURED: there was not one answer"
        }
    }

    /// Answered as expected, a second.
    var goodPerSecond: Double {
        (Double(report.requests) - Double(report.failed)) / max(report.seconds, 1e-9)
    }
}

extension LoadOutcome: Encodable {
    private enum Keys: String, CodingKey {
        case name, targets, load, loop, seed, report, verdict, exit, thresholds, reasons, remarks
        case startedAt = "started_at"
        case perSecond = "answered_per_s"
        case memory, curve = "latency_curve"
    }

    private enum MemoryKeys: String, CodingKey {
        case first = "first_bytes"
        case last = "last_bytes"
        case peak = "peak_bytes"
        case growth = "growth_bytes"
        case lost, samples
    }

    private struct CurvePoint: Encodable {
        var percentile: Double
        var ms: Double
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(name, forKey: .name)
        try container.encode(targets, forKey: .targets)
        try container.encode(load, forKey: .load)
        try container.encode(loop, forKey: .loop)
        try container.encode(startedAt, forKey: .startedAt)
        try container.encode(seed, forKey: .seed)
        try container.encode(judgement.verdict, forKey: .verdict)
        try container.encode(judgement.verdict.exitCode, forKey: .exit)
        try container.encode(judgement.thresholds, forKey: .thresholds)
        try container.encode(judgement.reasons, forKey: .reasons)
        try container.encode(judgement.remarks, forKey: .remarks)
        try container.encode(goodPerSecond, forKey: .perSecond)
        try container.encode(report, forKey: .report)
        if let curve = report.distribution?.curve(), !curve.isEmpty {
            let points = curve.map { CurvePoint(percentile: $0.percentile, ms: $0.milliseconds) }
            try container.encode(points, forKey: .curve)
        }
        guard let memory else { return }
        var nested = container.nestedContainer(keyedBy: MemoryKeys.self, forKey: .memory)
        try nested.encodeIfPresent(memory.firstBytes, forKey: .first)
        try nested.encodeIfPresent(memory.lastBytes, forKey: .last)
        try nested.encodeIfPresent(memory.peakBytes, forKey: .peak)
        try nested.encodeIfPresent(memory.growthBytes, forKey: .growth)
        try nested.encodeIfPresent(memory.lost, forKey: .lost)
        try nested.encode(memory.samples, forKey: .samples)
    }
}
