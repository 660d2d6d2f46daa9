/// The answer of a gate, and of each of its signals.
package enum GateVerdict: String, Hashable, Sendable, Codable {
    case pass
    case fail
    case needMoreData = "need_more_data"
}

/// What one signal says.
package struct SignalFinding<Evidence: Hashable & Sendable & Codable>: Hashable, Sendable, Codable {
    package var verdict: GateVerdict
    /// One sentence with the numbers it rests on, or with what is missing.
    package var reason: String
    /// nil: there was nothing to measure.
    package var evidence: Evidence?

    package init(_ verdict: GateVerdict, _ reason: String, evidence: Evidence? = nil) {
        self.verdict = verdict
        self.reason = reason
        self.evidence = evidence
    }
}

/// What the gate says at one look, with its evidence. A signal that this stage cannot judge is nil: after the promotion there
/// is no live baseline for errors, latency and CPU.
package struct GateReport: Hashable, Sendable, Codable {
    package var stage: GatePlan.Stage
    package var verdict: GateVerdict
    /// Why: what failed, or what is not known yet. Empty for a pass.
    package var reasons: [String]
    package var elapsedSeconds: Double
    /// The stage has lasted as long as it may: waiting for more data is over.
    package var isTimeOver: Bool
    /// What must pass for a pass.
    package var required: [GateSignal]
    package var liveness: SignalFinding<LivenessEvidence>
    package var errors: SignalFinding<ErrorEvidence>?
    package var latency: SignalFinding<LatencyEvidence>?
    package var cpu: SignalFinding<CPUEvidence>?
    package var memory: SignalFinding<MemoryEvidence>

    package func verdict(of signal: GateSignal) -> GateVerdict? {
        outcomes.first { $0.signal == signal }?.verdict
    }

    var outcomes: [(signal: GateSignal, verdict: GateVerdict, reason: String)] {
        var all = [(GateSignal.liveness, liveness.verdict, liveness.reason)]
        if let errors { all.append((.errors, errors.verdict, errors.reason)) }
        if let latency { all.append((.latency, latency.verdict, latency.reason)) }
        if let cpu { all.append((.cpu, cpu.verdict, cpu.reason)) }
        all.append((.memory, memory.verdict, memory.reason))
        return all.map { (signal: $0.0, verdict: $0.1, reason: $0.2) }
    }

    private enum CodingKeys: String, CodingKey {
        case stage, verdict, reasons, required, liveness, errors, latency, cpu, memory
        case elapsedSeconds = "elapsed_s"
        case isTimeOver = "time_over"
    }
}

extension GateReport {
    /// For people: the verdict, then one line a signal.
    package var lines: [String] {
        let words =
            switch verdict {
            case .pass: "passes"
            case .fail: "fails"
            case .needMoreData: isTimeOver ? "unproven: time is over" : "needs more data"
            }
        return ["\(stage.rawValue) \(words) after \(Words.seconds(elapsedSeconds))"]
            + outcomes.map { outcome in
                let mark =
                    switch outcome.verdict {
                    case .pass: "pass"
                    case .fail: "FAIL"
                    case .needMoreData: "open"
                    }
                let note = required.contains(outcome.signal) ? "" : " (not asked for)"
                return "\(mark)  \(outcome.signal.rawValue)\(note): \(outcome.reason)"
            }
    }
}
