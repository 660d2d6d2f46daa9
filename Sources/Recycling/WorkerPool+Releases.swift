import OakumModel

extension WorkerPool {
    // MARK: - Trials

    mutating func beginTrial(_ candidate: ReleaseID, pairs: Int, at now: Uptime) -> [PoolAction] {
        var actions = endTrial(keepsCanaries: false, at: now)
        // In turn, so that neither side is always the first to start.
        var canaries: Set<UInt32> = []
        var baselines: Set<UInt32> = []
        for _ in 0..<max(1, pairs) {
            canaries.formUnion(order(1, of: candidate, at: now))
            baselines.formUnion(order(1, of: release, at: now))
        }
        let trial = Trial(candidate: candidate, canaries: canaries, baselines: baselines)
        self.trial = trial
        actions += [.note(.trialStarted(trial)), .order(ordered)]
        return actions
    }

    mutating func endTrial(keepsCanaries: Bool, at now: Uptime) -> [PoolAction] {
        guard let trial = trial.take() else { return [] }
        let leaving = keepsCanaries ? trial.baselines : trial.numbers
        return leaving.sorted().filter { ordered.contains($0) }.flatMap { retire($0, at: now) }
    }

    // MARK: - Rollovers

    mutating func beginRollover(_ release: ReleaseID, atOnce: Int, at now: Uptime) -> [PoolAction] {
        let others = regular.count { workers[$0]?.release != release }
        rollover = Rollover(release: release, atOnce: atOnce, startedAt: now)
        return [.note(.rolloverStarted(release, workers: others))]
    }

    /// Starts new workers, some at a time, and retires an old one for each new one that serves. Waits for a recycle that is
    /// under way. The number of serving workers never falls below what was desired by an act of this.
    mutating func advanceRollover(at now: Uptime) -> [PoolAction] {
        guard let rollover, current == nil else { return [] }
        let new = regular.filter { workers[$0]?.release == rollover.release }
        if let late = new.sorted().first(where: { isOverdue($0, at: now) }) {
            return failRollover(late, why: "it was not ready within \(Int(settings.readyWithin)) s", at: now)
        }
        let servingNew = new.filter { workers[$0]?.phase == .serving }
        var actions: [PoolAction] = []
        var old = regular.subtracting(new).sorted { isServing($0) != isServing($1) ? !isServing($0) : $0 < $1 }
        while let next = old.first, old.count + servingNew.count > settings.desired {
            if isServing(next), serving.count <= settings.capacityFloor { break }
            old.removeFirst()
            actions += retire(next, at: now)
        }
        let starting = new.count - servingNew.count
        let missing = min(settings.desired - new.count, rollover.atOnce - starting)
        if missing > 0 {
            _ = order(missing, of: rollover.release, at: now)
            actions.append(.order(ordered))
        }
        guard old.isEmpty, servingNew.count >= settings.desired else { return actions }
        self.rollover = nil
        actions.append(.note(.rolloverFinished(rollover.release, seconds: now - rollover.startedAt)))
        return actions
    }

    /// A worker died: when it was to be one of the new ones and had not served yet, the rollover is over.
    mutating func rolloverLost(_ number: UInt32, at now: Uptime) -> [PoolAction] {
        guard let rollover, regular.contains(number), let worker = workers[number],
            worker.release == rollover.release, !worker.hasServed
        else { return [] }
        return failRollover(number, why: "it died before it served", at: now)
    }

    private mutating func failRollover(_ number: UInt32, why: String, at now: Uptime) -> [PoolAction] {
        guard let failed = rollover.take() else { return [] }
        return [.note(.rolloverFailed(failed.release, worker: number, why: why))] + retire(number, at: now)
    }

    private func isServing(_ number: UInt32) -> Bool { workers[number]?.phase == .serving }

    private func isOverdue(_ number: UInt32, at now: Uptime) -> Bool {
        guard let worker = workers[number], worker.phase != .serving else { return false }
        return now - worker.notServingSince > settings.readyWithin
    }
}
