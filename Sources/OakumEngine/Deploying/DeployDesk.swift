import OakumModel
import Recycling
import ReleaseGate
import Releases

/// The releases of one service, the deploy under way, and what compares its workers. A value: the engine feeds it.
struct DeployDesk: Sendable {
    let settings: DeploySettings
    var ledger: ReleaseLedger
    /// An artefact is being checked and unpacked: nothing else may begin.
    var isUnpacking = false
    private(set) var gate: ReleaseGate?
    /// Memory of the base's fresh workers over their requests: what the bake is held against.
    private var recorded: MemoryRecord?
    private(set) var report: GateReport?
    private var lostCanaries: Set<UInt32> = []

    init(settings: DeploySettings, ledger: ReleaseLedger) {
        self.settings = settings
        self.ledger = ledger
    }

    var course: DeployCourse? { ledger.course.flatMap { $0.isOver ? nil : $0 } }

    /// Lets the course handle something, and keeps what follows from it for the ledger.
    mutating func handle(_ event: DeployEvent, at now: Moment) -> [DeployAction] {
        guard var course else { return [] }
        let seconds = Double(now.wall.milliseconds) / 1_000
        let actions = course.handle(event, at: seconds)
        ledger.course = course
        let candidate = course.plan.candidate
        switch course.step {
        case .promoting, .baking: ledger.current = candidate
        case .undoing: ledger.current = course.plan.base
        case .preparing, .trial, .testing, .judging, .done: break
        }
        guard course.isOver, var record = ledger[candidate] else { return actions }
        // Back on a release that had proven itself: little to go by takes nothing from it.
        if record.outcome != .proven || course.outcome != .unproven {
            record.outcome = course.outcome
            record.reason = course.reason
        }
        record.promotedAt = course.promotedAt ?? record.promotedAt
        record.endedAt = seconds
        ledger[candidate] = record
        gate = nil
        recorded = nil
        return actions
    }

    /// Which of the workers that were taken over were on trial when `oakum` ended.
    func trial(among ordered: [UInt32: ReleaseID]) -> Trial? {
        guard let course, [.trial, .testing, .judging].contains(course.step) else { return nil }
        let canaries = Set(ordered.filter { $0.value == course.plan.candidate }.keys)
        return canaries.isEmpty ? nil : Trial(candidate: course.plan.candidate, canaries: canaries, baselines: [])
    }

    // MARK: - Comparing

    mutating func beginTrial(_ trial: Trial, limit: ByteCount, at now: Uptime) {
        guard let course else { return }
        var settings = GateSettings()
        settings.canary.leastSeconds = course.plan.canarySeconds
        settings.canary.mostSeconds = course.plan.canaryAtMostSeconds
        gate = ReleaseGate(
            .canary(
                startedAt: now, candidate: trial.canaries.sorted(), baseline: trial.baselines.sorted(), limit: limit),
            settings: settings)
        report = nil
        lostCanaries = []
    }

    /// - Parameter workers: those that serve now; one that is recycled meanwhile is no longer compared.
    mutating func beginBake(_ workers: [UInt32], limit: ByteCount, at now: Uptime) {
        guard let course else { return }
        if let gate { recorded = gate.record(of: .baseline, release: course.plan.base.text) }
        var settings = GateSettings()
        settings.bake.leastSeconds = min(settings.bake.leastSeconds, course.plan.bakeSeconds)
        settings.bake.mostSeconds = course.plan.bakeSeconds
        gate = ReleaseGate(
            .bake(startedAt: now, candidate: workers, recorded: recorded, limit: limit), settings: settings)
        report = nil
    }

    mutating func add(_ sample: Sample, _ measures: ServiceMeasures, of number: UInt32) {
        guard let worker = gate?.plan.workers.first(where: { $0.number == number }) else { return }
        gate?.add(
            GateReading(
                at: sample.at, residentBytes: sample.anonymous ?? sample.rss, requests: measures.requests,
                failed: measures.failures, cpuSeconds: sample.cpuSeconds, openDescriptors: sample.fileDescriptors),
            of: worker)
    }

    /// It is read every other second while it does.
    func compares(_ number: UInt32) -> Bool {
        gate?.plan.workers.contains { $0.number == number } ?? false
    }

    /// A worker ended without having been told to. True when it was a canary that is compared.
    mutating func lost(_ number: UInt32, at now: Uptime) -> Bool {
        guard let worker = gate?.plan.workers.first(where: { $0.number == number }) else { return false }
        gate?.add(GateEvent(at: now, worker: worker, kind: .crashed))
        return worker.arm == .candidate && gate?.plan.stage == .canary && lostCanaries.insert(number).inserted
    }

    /// What the gate says now; nil when nothing is compared.
    mutating func look(at now: Uptime) -> GateWord? {
        guard var gate else { return nil }
        let report = gate.look(at: now)
        self.gate = gate
        self.report = report
        switch report.verdict {
        case .pass: return .pass(words(report))
        case .fail: return .fail(report.reasons.joined(separator: "; "))
        case .needMoreData:
            // Answers of a canary are the least there must be.
            let some = (report.errors?.evidence?.candidate.requests ?? 0) > 0 || report.stage == .bake
            return .undecided(report.reasons.joined(separator: "; "), hasSome: some)
        }
    }

    private func words(_ report: GateReport) -> String {
        var words = [report.liveness.reason]
        if let errors = report.errors { words.append(errors.reason) }
        words.append(report.memory.reason)
        return words.joined(separator: "; ")
    }
}
