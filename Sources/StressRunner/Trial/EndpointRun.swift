import LeakTrial
import ProcessReadings
import Spawning

/// What one endpoint's trial gave.
struct EndpointOutcome: Sendable {
    var finding: EndpointFinding
    var audit: TrialAudit
    var operations: Double
    /// Of the whole trial, without start-up.
    var seconds: Double
    var source: MemorySource
    var perCycle: Int
    /// Both arms' readings: operations and bytes.
    var sameKeys: CycleSeries
    var freshKeys: CycleSeries?
}

/// Cycles of operations on one program, with a reading after each, until the trial has its answer or the time is over.
struct EndpointRun {
    let endpoint: StressEndpoint
    let settings: StressSettings
    let sender: any OperationSending
    var meter: MemoryMeter
    /// A remark for the progress.
    let tell: @Sendable (String) -> Void
    private let clock = ContinuousClock()
    /// Before anything is judged, if there is time: tables, pools and lazily made things settle.
    private static let warmOperations = 1_500.0
    private var audit = TrialAudit()
    private var operations = 0.0

    init(
        endpoint: StressEndpoint, settings: StressSettings, sender: any OperationSending, meter: MemoryMeter,
        tell: @escaping @Sendable (String) -> Void
    ) {
        (self.endpoint, self.settings, self.sender, self.meter) = (endpoint, settings, sender, meter)
        self.tell = tell
    }

    mutating func run() async throws(StressProblem) -> EndpointOutcome {
        let begin = clock.now
        let deadline = begin + .seconds(settings.seconds)
        let size = try await warmUp(until: begin + .seconds(settings.seconds / 4))
        // Warm-up answers do not speak for or against the evidence, except when there is none at all.
        let warmAudit = audit
        audit = TrialAudit()
        let first = try await meter.readQuiet()
        guard !warmAudit.isEmpty else { return nothingMeasured(warmAudit, begin) }
        var trial = EndpointTrial(
            settings: TrialSettings(
                floorBytes: settings.floorBytes, resolutionBytes: first.error, mostCycles: 1_000, poolBytes: 384 * 1024,
                poolOperations: 4_000),
            hasKeys: endpoint.hasKeys, leastFreshKeys: settings.leastFreshKeys)
        var step = trial.add(operations: operations, bytes: first.bytes)
        audit.add(isQuiet: first.isQuiet, members: first.processes)
        while case .cycle(let arm) = step {
            // Half of the time at most for the arm of the same keys, when there is another.
            let share = endpoint.hasKeys && arm == .sameKeys ? settings.seconds / 2 : settings.seconds
            if clock.now >= min(deadline, begin + .seconds(share)) {
                let end = trial.stopArm()
                // No answer yet is worth some patience.
                if !end.isInconclusive || clock.now >= begin + .seconds(settings.patience) {
                    step = end
                    continue
                }
            }
            let count = arm == .freshKeys ? size.forFreshKeys(settings.leastFreshKeys) : size.count
            try await cycle(count, arm)
            let reading = try await meter.readQuiet()
            audit.add(isQuiet: reading.isQuiet, members: reading.processes)
            step = trial.add(operations: operations, bytes: reading.bytes)
            tell(progress(trial, arm))
        }
        guard case .done(var finding) = step else { throw .setUp("a trial ended without a finding") }
        if !audit.doubts.isEmpty { finding.verdict = .inconclusive }
        return EndpointOutcome(
            finding: finding, audit: audit, operations: operations,
            seconds: begin.duration(to: clock.now).seconds, source: meter.source ?? .resident, perCycle: size.count,
            sameKeys: trial.sameKeys.series, freshKeys: trial.freshKeys?.series)
    }

    private func nothingMeasured(_ audit: TrialAudit, _ begin: ContinuousClock.Instant) -> EndpointOutcome {
        EndpointOutcome(
            finding: EndpointFinding(verdict: .nothingMeasured, arm: .sameKeys), audit: audit, operations: operations,
            seconds: begin.duration(to: clock.now).seconds, source: meter.source ?? .resident, perCycle: 0,
            sameKeys: CycleSeries(), freshKeys: nil)
    }

    /// Finds the size of a cycle, and lets lazily made things be made. The same keys: a cache of them is full afterwards.
    private mutating func warmUp(until deadline: ContinuousClock.Instant) async throws(StressProblem) -> CycleSize {
        var size = CycleSize()
        while true {
            let seconds = try await cycle(size.count, .sameKeys)
            let isSized = size.warmed(seconds: seconds)
            if (isSized && operations >= Self.warmOperations) || clock.now >= deadline { return size }
        }
    }

    @discardableResult
    private mutating func cycle(_ count: Int, _ arm: Arm) async throws(StressProblem) -> Double {
        let outcome = try await sender.send(count, arm: arm)
        operations += Double(outcome.sent)
        audit.add(sent: outcome.sent, expected: outcome.expected, notes: outcome.notes)
        if let end = meter.target.end {
            throw .targetGone("\(end) under load. It wrote:\n\(TextFile.tail(meter.target.logPath))")
        }
        return outcome.seconds
    }

    private func progress(_ trial: EndpointTrial, _ arm: Arm) -> String {
        let keys = arm == .freshKeys ? "fresh keys" : "same keys"
        let series = trial.current.series
        let bytes = trial.current.interval.map { StressText.interval($0) } ?? "…"
        return "\(endpoint.name): \(keys), \(series.count) cycles, \(bytes) per operation"
    }
}

extension MemoryReading {
    /// Its processes as plain numbers, for the audit.
    var processes: Set<UInt64> {
        Set(members.map { UInt64(UInt32(bitPattern: $0.pid)) << 32 ^ $0.startTicks })
    }
}

extension Duration {
    /// As seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension TrialStep {
    fileprivate var isInconclusive: Bool {
        if case .done(let finding) = self { finding.verdict == .inconclusive } else { false }
    }
}
