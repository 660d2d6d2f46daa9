/// What befell the workers.
package struct LivenessEvidence: Hashable, Sendable, Codable {
    package struct Counts: Hashable, Sendable, Codable {
        package var crashes = 0
        package var outOfMemoryKills = 0
        package var readinessLosses = 0
        package var restarts = 0

        /// Without restarts.
        var fatal: Int { crashes + outOfMemoryKills + readinessLosses }

        private enum CodingKeys: String, CodingKey {
            case crashes, restarts
            case outOfMemoryKills = "oom_kills"
            case readinessLosses = "readiness_losses"
        }
    }

    package var candidate: Counts
    /// nil: no baseline lives.
    package var baseline: Counts?
    package var workers: Int
    /// Time for which the candidate's workers were seen, added up.
    package var observedSeconds: Double
    /// One is enough to fail.
    package var threshold: Int
    /// A worker that ends this often would have ended within that time with a chance of 95 % (three over the time: Hanley and
    /// Lippman-Hand, 1983); nil: nothing was seen.
    package var smallestPerWorkerHour: Double?

    private enum CodingKeys: String, CodingKey {
        case candidate, baseline, workers, threshold
        case observedSeconds = "observed_s"
        case smallestPerWorkerHour = "smallest_seen_per_worker_h"
    }
}

/// Crashes, kills and lost readiness: one of the candidate's fails at once, whatever the baseline did.
struct Liveness: Sendable {
    private var counts: [Arm: LivenessEvidence.Counts] = [:]

    mutating func add(_ kind: GateEvent.Kind, of arm: Arm) {
        var count = counts[arm] ?? LivenessEvidence.Counts()
        switch kind {
        case .crashed: count.crashes += 1
        case .outOfMemoryKilled: count.outOfMemoryKills += 1
        case .readinessLost: count.readinessLosses += 1
        case .restarted: count.restarts += 1
        }
        counts[arm] = count
    }

    func finding(
        workers: Int, observedSeconds: Double, hasBaseline: Bool, silence: String?
    ) -> SignalFinding<LivenessEvidence> {
        let candidate = counts[.candidate] ?? LivenessEvidence.Counts()
        let baseline = hasBaseline ? counts[.baseline] ?? LivenessEvidence.Counts() : nil
        let evidence = LivenessEvidence(
            candidate: candidate, baseline: baseline, workers: workers, observedSeconds: observedSeconds, threshold: 1,
            smallestPerWorkerHour: observedSeconds > 0 ? 3 * 3_600 / observedSeconds : nil)
        if candidate.fatal > 0 {
            let others = (baseline?.fatal ?? 0) > 0 ? "; the current release too: " + Self.told(baseline) : ""
            return SignalFinding(.fail, Self.told(candidate) + others, evidence: evidence)
        }
        if let silence { return SignalFinding(.needMoreData, silence, evidence: evidence) }
        if candidate.restarts > 0 {
            return SignalFinding(
                .needMoreData, "\(Words.plural(candidate.restarts, "restart")) within the stage: begin it anew",
                evidence: evidence)
        }
        let rate = evidence.smallestPerWorkerHour.map { "; one end in \(Words.seconds(3_600 / $0)) would have shown" }
        return SignalFinding(
            .pass,
            "no crash, kill or loss of readiness of \(Words.plural(workers, "worker")) in "
                + Words.seconds(observedSeconds / Double(max(1, workers))) + (rate ?? ""),
            evidence: evidence)
    }

    private static func told(_ counts: LivenessEvidence.Counts?) -> String {
        guard let counts else { return "" }
        var parts: [String] = []
        if counts.outOfMemoryKills > 0 {
            parts.append(Words.plural(counts.outOfMemoryKills, "kill") + " for want of memory")
        }
        if counts.crashes > 0 { parts.append("\(counts.crashes) crash\(counts.crashes == 1 ? "" : "es")") }
        if counts.readinessLosses > 0 { parts.append("readiness lost \(counts.readinessLosses)×") }
        return parts.joined(separator: ", ")
    }
}
