import Diagnosis
import OakumModel
import Recycling

/// What is wrong with the service beside the verdicts on its workers.
extension ServiceWatch {
    /// Once a second: what the workers that serve take together.
    mutating func lookForTrouble(at now: Uptime) {
        let serving = pool.workers.values.filter { $0.phase == .serving }.compactMap { watches[$0.number] }
        trouble.add(
            memory: serving.compactMap { $0.latest.map { $0.anonymous ?? $0.rss } },
            cores: serving.compactMap(\.cpuCores),
            at: now)
    }

    /// What the workers that serve answer on average, by what this one does, over the last while; nil when that is not known.
    func evenShare(of number: UInt32) -> Double? {
        let rates = pool.serving.compactMap { watches[$0.number]?.requestRate }
        guard let own = watches[number]?.requestRate, own > 0, !rates.isEmpty else { return nil }
        return rates.reduce(0, +) / Double(rates.count) / own
    }

    /// Something may be wrong, and there are so few workers that asking them every two seconds costs little.
    var isWorthCloserReadings: Bool { trouble.isSuspicious && pool.serving.count <= 8 }

    /// All workers that serve were asked what they tell of themselves.
    mutating func roundFinished(machine: MachineReading?, at now: Moment) -> [WatchAction] {
        var actions = trouble.closeRound(machine: machine, at: now).map(WatchAction.record)
        if trouble.asksForDiagnosis(at: now.uptime) { actions.append(.diagnoseService) }
        return actions
    }

    /// Everything that is known of the service now; nil when nothing is wrong with it.
    func troubleObservations(machine: MachineRecord, until now: Uptime) -> Observations? {
        // Of the worker that has been seen longest: the others know less.
        let oldest = watches.filter { pool.workers[$0.key]?.phase == .serving }.min { $0.key < $1.key }
        return trouble.observations(
            machine: machine, verdict: oldest?.value.verdict, budget: configuration.budget, until: now)
    }

    mutating func troubleDiagnosed(_ diagnosis: Diagnosis, at now: Moment) -> [WatchAction] {
        trouble.diagnosed(diagnosis, at: now).map(WatchAction.record)
    }

    /// Which program a worker runs. Of a process that is gone it means nothing.
    mutating func identified(
        _ number: UInt32, _ process: ProcessIdentity, _ program: ProgramIdentity, at now: Moment
    ) -> [WatchAction] {
        guard watches[number]?.process == process else { return [] }
        return trouble.identified(number, process, program, at: now).map { [.record($0)] } ?? []
    }

    /// Somebody told of a release.
    mutating func deployed(_ what: String, at now: Moment) -> [WatchAction] {
        [.record(trouble.deploy(what, at: now, message: "\(configuration.name): release \(what)"))]
    }
}
