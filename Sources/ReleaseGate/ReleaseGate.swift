package import OakumModel

/// Is the candidate as good as the current release? Readings and events of workers in; pass, fail or "need more data" out, with
/// the evidence of each signal.
///
/// What speaks against the candidate is never averaged with what speaks for it: one signal that fails, fails it. What is not
/// known never passes. A fail is final. Pure: it may be looked at as often as one likes, every five seconds say, and looking
/// often fails no good release; bounded: 40 KiB a worker, and 150 KiB for the comparison.
package struct ReleaseGate: Sendable {
    package let plan: GatePlan
    package let settings: GateSettings
    private var tracks: [GateWorker: WorkerTrack] = [:]
    private var liveness = Liveness()
    private var errors: ErrorSignal
    private var latency: LatencySignal
    private var cpu: CPUSignal
    private var memory: MemorySignal
    private var warmUp: Double?
    private var pairedAt = -Double.infinity
    private var failed: GateReport?

    package init(_ plan: GatePlan, settings: GateSettings = GateSettings()) {
        self.plan = plan
        self.settings = settings
        errors = ErrorSignal(settings.errors)
        latency = LatencySignal(settings.latency)
        cpu = CPUSignal(settings.cpu)
        let stage = plan.stage == .canary ? settings.canary : settings.bake
        memory = MemorySignal(settings.memory, limit: plan.limit, stageSeconds: stage.mostSeconds)
        for worker in plan.workers { tracks[worker] = WorkerTrack(worker) }
    }

    // MARK: - In

    /// Takes a reading. False when it is refused: of a worker that is not in the plan, or not later than the one before.
    @discardableResult
    package mutating func add(_ reading: GateReading, of worker: GateWorker) -> Bool {
        let seconds = reading.at - plan.startedAt
        guard var track = tracks[worker],
            let increment = track.add(reading, at: seconds, stale: settings.staleSeconds)
        else { return false }
        tracks[worker] = track
        pair(at: seconds)
        if let counts = increment.errors { errors.add(counts, of: worker.arm) }
        if let work = increment.cpu { cpu.add(work, of: worker.arm) }
        if let counts = increment.latency { latency.add(counts, of: worker.arm) }
        if increment.isUnexplainedRestart { liveness.add(.restarted, of: worker.arm) }
        return true
    }

    /// Takes an event. False when its worker is not in the plan.
    @discardableResult
    package mutating func add(_ event: GateEvent) -> Bool {
        guard tracks[event.worker] != nil else { return false }
        liveness.add(event.kind, of: event.worker.arm)
        if event.kind != .readinessLost { tracks[event.worker]?.expectReset() }
        return true
    }

    // MARK: - Out

    /// What is known now.
    package mutating func look(at now: Uptime) -> GateReport {
        if let failed { return failed }
        let seconds = now - plan.startedAt
        let silence = silence(at: seconds)
        let isCanary = plan.stage == .canary
        let stage = isCanary ? settings.canary : settings.bake
        pair(at: seconds)
        let candidates = tracks.values.filter { $0.worker.arm == .candidate }
        var report = GateReport(
            stage: plan.stage, verdict: .needMoreData, reasons: [], elapsedSeconds: seconds,
            isTimeOver: seconds >= stage.mostSeconds,
            required: GateSignal.allCases.filter(stage.required.contains),
            liveness: liveness.finding(
                workers: candidates.count, observedSeconds: candidates.reduce(0) { $0 + $1.observedSeconds },
                hasBaseline: isCanary, silence: silence),
            errors: isCanary ? errors.finding(silence: silence) : nil,
            latency: isCanary ? latency.finding(silence: silence) : nil,
            cpu: isCanary ? cpu.finding(silence: silence) : nil,
            memory: lookAtMemory(at: seconds, silence: silence))
        decide(&report, stage)
        if report.verdict == .fail { failed = report }
        return report
    }

    /// Sets what both arms did since the last time side by side: when the next round of readings comes, or at a look.
    private mutating func pair(at seconds: Double) {
        guard plan.stage == .canary, seconds - pairedAt >= 1 else { return }
        pairedAt = seconds
        errors.pair()
        latency.pair(at: seconds)
        cpu.pair(at: seconds)
    }

    /// The memory of one arm's workers over requests, to be compared with in the next release's bake.
    package func record(of arm: Arm, release: String) -> MemoryRecord {
        MemoryRecord(release: release, workers: points(of: arm).filter { !$0.isEmpty })
    }

    private func decide(_ report: inout GateReport, _ stage: GateSettings.Stage) {
        let outcomes = report.outcomes
        func told(_ outcome: (signal: GateSignal, verdict: GateVerdict, reason: String)) -> String {
            "\(outcome.signal.rawValue): \(outcome.reason)"
        }
        let failing = outcomes.filter { $0.verdict == .fail }
        if !failing.isEmpty {
            report.verdict = .fail
            report.reasons = failing.map(told)
            return
        }
        report.reasons = outcomes.filter { $0.verdict != .pass && stage.required.contains($0.signal) }.map(told)
        for signal in report.required where report.verdict(of: signal) == nil {
            report.reasons.append("\(signal.rawValue): cannot be judged in this stage")
        }
        if report.elapsedSeconds < stage.leastSeconds {
            report.reasons.append(
                "\(Words.seconds(report.elapsedSeconds)) of \(Words.seconds(stage.leastSeconds)) are over")
        }
        if report.reasons.isEmpty { report.verdict = .pass }
    }

    /// Who is not known to be well, in one sentence; nil: everybody is.
    private func silence(at seconds: Double) -> String? {
        guard tracks.values.contains(where: { $0.worker.arm == .candidate }) else {
            return "no worker of the candidate takes part"
        }
        if plan.stage == .canary, !tracks.values.contains(where: { $0.worker.arm == .baseline }) {
            return "no worker of the current release takes part"
        }
        for worker in plan.workers {
            guard let seen = tracks[worker]?.lastSeen else { return "\(worker) has told nothing yet" }
            if seconds - seen > settings.staleSeconds {
                return "\(worker) has told nothing for \(Words.seconds(seconds - seen))"
            }
        }
        return nil
    }

    // MARK: - Memory

    private func points(of arm: Arm) -> [[MemoryPoint]] {
        plan.workers.filter { $0.arm == arm }.compactMap { tracks[$0]?.memory.points }
    }

    private mutating func lookAtMemory(at seconds: Double, silence: String?) -> SignalFinding<MemoryEvidence> {
        let isRecorded = plan.stage == .bake
        let candidate = points(of: .candidate)
        let baseline = isRecorded ? plan.recorded?.workers ?? [] : points(of: .baseline)
        if warmUp == nil {
            warmUp = isRecorded ? settings.memory.warmUpSeconds : WarmUp(settings.memory).end(of: baseline, at: seconds)
        }
        if isRecorded, baseline.isEmpty {
            return SignalFinding(.needMoreData, "nothing was recorded of the release before")
        }
        let gone = tracks.values.filter(\.hasRestarted).map(\.worker)
        if let one = gone.min(by: { $0.description < $1.description }) {
            return SignalFinding(.needMoreData, "\(one) was restarted: the arms no longer began together")
        }
        // Until some time is over after the warm-up all of it counts: not for a verdict, but for what could have been seen.
        let cut = warmUp.flatMap { seconds > $0 + 60 ? $0 : nil }
        let rules = settings.memory
        return memory.finding(at: seconds, warmUp: cut, silence: silence) { () throws(MissingMemory) in
            try ComparedMemory(
                candidate: candidate, baseline: baseline, isRecorded: isRecorded, from: cut ?? 0, settings: rules)
        }
    }
}

/// When the start is over: what the baseline grew by in the last minutes is little, or the longest time has passed.
private struct WarmUp {
    let settings: GateSettings.Memory

    init(_ settings: GateSettings.Memory) {
        self.settings = settings
    }

    /// Seconds from the start; nil: not yet.
    func end(of workers: [[MemoryPoint]], at seconds: Double) -> Double? {
        if seconds >= settings.warmUpSeconds { return settings.warmUpSeconds }
        let changes = workers.compactMap { change($0, until: seconds) }
        guard changes.count == workers.count, let middle = median(changes), middle <= settings.warmBytes else {
            return nil
        }
        return seconds
    }

    /// Of a minute's mean to another's.
    private func change(_ points: [MemoryPoint], until end: Double) -> Double? {
        func level(_ until: Double) -> Double? {
            let part = points.filter { $0.seconds > until - 60 && $0.seconds <= until }
            let values = part.compactMap { $0.bytesInUse ?? $0.residentBytes }
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        guard end >= settings.warmSpanSeconds + 60, let now = level(end),
            let before = level(end - settings.warmSpanSeconds)
        else { return nil }
        return now - before
    }
}
