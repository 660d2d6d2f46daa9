import OakumModel

extension Findings {
    // MARK: - A cache that fills

    /// A bounded cache that explains most of the growth.
    func cacheFillCase() -> CauseCase? {
        guard let change = growth.change, let fill = largestFill(of: change) else { return nil }
        var found = CauseCase(.cacheFill)
        found.lead = change
        let grown = change.after - change.before
        let share = fill.grown / grown
        let name = fill.cache.name
        let held = ByteCount(Phrases.whole(fill.held))
        guard let bound = fill.cache.bound, bound.bytes > 0 else {
            if share > 0.6 {
                found.object(
                    3, "\(name) grew by \(Phrases.percent(share)) of what memory did, but has no bound: that is a leak")
            }
            return found
        }
        let full = fill.held / Double(bound.bytes)
        let text =
            "\(name) at \(Phrases.percent(full)) of its \(bound): it grew by "
            + "\(ByteCount(Phrases.whole(fill.grown))), memory by \(ByteCount(Phrases.whole(grown)))"
        guard full <= 1.05 else {
            found.object(3, "\(name) holds \(held), more than its bound of \(bound)")
            return found
        }
        if share >= 0.6 {
            found.support(share >= 0.8 ? 5 : 4, text)
        } else {
            found.object(2, text + ": that explains \(Phrases.percent(share))")
        }
        if let turnover = fill.cache.evictionsPerSecond, turnover > 0, full > 0.9 {
            found.support(1, "\(name) is full and evicts \(Phrases.number(turnover)) entries a second")
        }
        return found
    }

    private func largestFill(of change: Change) -> (cache: CacheFill, held: Double, grown: Double)? {
        observations.caches.prefix(Observations.maximumSignals).compactMap { cache in
            let points = cache.points.filter { $0.value.isFinite && span.contains($0.seconds) }
            guard let last = points.last else { return nil }
            let first = points.last { $0.seconds <= change.fit.onset } ?? points[0]
            return (cache, last.value, last.value - first.value)
        }.max { $0.grown < $1.grown }
    }

    // MARK: - Memory

    func memoryCase(_ known: Beliefs) -> CauseCase? {
        guard growth.reading != nil || growth.verdict != nil else { return nil }
        var found = CauseCase(.memory)
        found.lead = growth.change
        weighGrowth(&found)
        weighHeap(&found)
        weighLogs(.memory, 0.7, &found)
        guard found.weight > -2 else { return found }
        if let change = growth.change { weighOrder(change, &found) }
        if let resumed = growth.resumed {
            found.support(
                2,
                "after a restart it grew again, by \(Phrases.rate(resumed.after)) where it was "
                    + "\(Phrases.rate(resumed.before)): the restart cured nothing")
        }
        if let fill = known[.cacheFill], fill.belief > 0.5, let text = fill.supports.first { found.object(6, text) }
        if let change = growth.change { found.trigger = deploy(before: change)?.deploy }
        return found
    }

    private func weighGrowth(_ found: inout CauseCase) {
        if let verdict = growth.verdict, verdict.code == .leak {
            found.support(5, "memory is held to be leaking: " + (verdict.evidence.first ?? "no details"))
        } else if growth.isCleared, let verdict = growth.verdict {
            let because = verdict.evidence.first.map { ": " + $0 } ?? ""
            found.object(4, "memory is held to be no leak (\(verdict.code.rawValue))\(because)")
        } else if let change = growth.change, let reading = growth.reading {
            let text = Phrases.moved(reading, change)
            if change.fit.goesOn {
                // A process that grows from the start warms up, unless the one before it did the same.
                let isYoung = growth.verdict?.code == .warmUp && growth.resumed == nil
                // A walk may look like growth, but seldom by so much.
                let isPlain = change.strength > 2 * Change.leastStrength(count: reading.series.count)
                found.support(isYoung ? 1.2 : isPlain ? 2.6 : 2, text + " and had not stopped at the last reading")
            } else {
                found.object(1, text + " and stopped there")
            }
        } else if let reading = growth.reading {
            found.object(
                4, "memory does not grow: \(Phrases.amount(reading.typical, of: .memory)) throughout")
        }
        if let budget = observations.budget, budget.bytes > 0, let reading = growth.reading,
            reading.latest >= 0.9 * Double(budget.bytes), growth.change != nil
        {
            let share = Phrases.percent(reading.latest / Double(budget.bytes))
            found.support(0.5, "\(share) of the budget of \(budget) is used")
        }
    }

    private func weighHeap(_ found: inout CauseCase) {
        guard let top = observations.heap.first else { return }
        let type = top.type.map { " (\($0))" } ?? ""
        let held = "\(top.site)\(type) holds \(Phrases.percent(top.share)) of the live bytes"
        if let cache = top.cache {
            // It ends at the bound: memory that grows for ever is held by something else.
            found.object(1.5, "\(held), \(cache.words): that is bounded")
            return
        }
        guard let kept = top.neverFreed else {
            found.support(0.8, held)
            return
        }
        let share = Phrases.percent(kept.estimate)
        if kept.low > 0.5 {
            found.support(2, "\(held), \(share) of it never freed")
        } else if kept.high < 0.3 {
            found.object(1.5, "\(held), but only \(share) of it is never freed")
        }
    }

    /// Whether something else moved first and memory merely follows.
    private func weighOrder(_ change: Change, _ found: inout CauseCase) {
        let upstream: [SignalKind] = [.dependencyLatency, .dependencyErrors, .requests, .inFlight]
        for kind in upstream {
            guard let other = reading(kind), let cause = other.change, cause.isUp else { continue }
            let first = cause.precedes(change)
            let moves = CoMovement(other, with: growth.reading ?? other)?.levels ?? 0
            // A level that stepped up explains a step, not growth without end; what still rises itself explains both.
            let explains = moves > 0.8 && (!growth.goesOn || cause.fit.goesOn || kind != .requests)
            guard first > 0.9, explains else { continue }
            // A leak that was proved stays one: it may have sped up.
            let weight = growth.isLeak && !observations.heap.isEmpty ? 0.5 : 2.5
            found.object(
                weight,
                "\(Phrases.subject(kind, other.name)) rose first, by "
                    + "\(Phrases.duration(change.fit.onset - cause.fit.onset)), and memory moves with it "
                    + "(r \(Phrases.decimal(moves, 2)))")
            return
        }
        if let harm = firstHarm, harm.precedes(change) > 0.97, !growth.isLeak {
            found.object(
                2, "users were hurt \(Phrases.duration(change.fit.onset - harm.fit.onset)) before memory grew")
        }
        if let processor = self.change(.cpu), change.precedes(processor) >= 0.3 {
            if let moves = together(.cpu, .memory), moves.levels > 0.8 {
                found.support(0.8, "CPU moves with it (r \(Phrases.decimal(moves.levels, 2)))")
            }
        }
    }

    func weighLogs(_ cause: CauseCode, _ weight: Double, _ found: inout CauseCase) {
        if let line = logs.first(where: { $0.hint == cause }) { found.support(weight, line.sentence) }
    }
}
