import OakumModel

/// What the journal of one arm says, on the arm's own axis: seconds after its first request. Pure.
struct OakumFindings: Hashable, Sendable {
    /// What a recycle bought; see `slope_afterwards`.
    struct Bought: Hashable, Sendable {
        var predictedSeconds: Double?
        var observedSeconds: Double?
    }

    var leakOnsetSeconds: Double?
    var detectedSeconds: Double?
    /// The first recycle that finished.
    var recycledSeconds: Double?
    var recycles = 0
    var verdict: VerdictCode
    var bought: Bought?
    /// What the leak was called; nil when the workers carried no sampler.
    var naming: LeakNaming?
    /// The cause that was told first; nil when none was.
    var firstCause: String?
    var firstCauseSeconds: Double?
    /// Causes that were told and taken back.
    var misledBy: [String] = []
    /// What `oakum` itself held while it watched.
    var ownMemory: OwnMemory?
    /// What people were told; nil: nobody was to be.
    var pages: PageFindings?
    /// Each leak verdict and each recycle, in words: alarms when nothing leaks.
    var alarms: [String] = []

    /// - Parameters:
    ///   - lastVerdicts: of the workers that served at the end.
    ///   - startedAt: when the first request was due.
    init(
        journal: [EventRecord], lastVerdicts: [VerdictCode], startedAt: Uptime, ownMemory: OwnMemory? = nil,
        samplesHeap: Bool = false, pages: PageFindings? = nil
    ) {
        self.pages = pages
        naming = samplesHeap ? LeakNaming() : nil
        self.ownMemory = ownMemory
        verdict = Self.gravest(lastVerdicts)
        for event in journal.map(\.event) {
            let seconds = event.at.uptime - startedAt
            switch event.kind {
            case .verdict where event.verdict?.code == .leak:
                verdict = .leak
                alarms.append(event.message)
                guard detectedSeconds == nil else { continue }
                detectedSeconds = max(0, seconds)
                // A worker's series runs on the clock of `Uptime`.
                leakOnsetSeconds = event.verdict?.onsetSeconds.map { max(0, $0 - startedAt.seconds) }
            case .recycleFinished:
                recycles += 1
                recycledSeconds = recycledSeconds ?? max(0, seconds)
                alarms.append(event.message)
                if bought?.observedSeconds == nil, let predicted = event.facts["predicted_s"].flatMap(Double.init) {
                    bought = bought ?? Bought(predictedSeconds: predicted, observedSeconds: nil)
                }
            case .leakNamed where naming != nil && naming?.namedSeconds == nil:
                guard let first = event.heap?.first else { continue }
                naming = LeakNaming(
                    namedSeconds: max(0, seconds), site: first.site, type: first.type, chain: first.chain)
            case .diagnosed:
                if firstCause == nil { firstCauseSeconds = max(0, seconds) }
                firstCause = firstCause ?? event.facts["first_cause"]
                for cause in (event.facts["misled_by"] ?? "").split(separator: ",").map(String.init)
                where !misledBy.contains(cause) {
                    misledBy.append(cause)
                }
            case .recycleWithheld: alarms.append(event.message)
            case .slopeAfterwards: noteBought(event.facts)
            default: break
            }
        }
    }

    /// The first recycle whose successor lasted long enough to be compared with its forecast counts.
    private mutating func noteBought(_ facts: [String: String]) {
        guard bought?.observedSeconds == nil, let observed = facts["observed_s"].flatMap(Double.init) else { return }
        bought = Bought(predictedSeconds: facts["predicted_s"].flatMap(Double.init), observedSeconds: observed)
    }

    /// What to call a service whose workers are judged differently: the gravest, "not enough data" only when that is
    /// all.
    private static func gravest(_ codes: [VerdictCode]) -> VerdictCode {
        let order: [VerdictCode] = [.leak, .fragmentation, .cacheFill, .load, .step, .warmUp, .steady, .notEnoughData]
        return order.first { codes.contains($0) } ?? .notEnoughData
    }
}
