import OakumModel

extension Findings {
    // MARK: - More requests

    func trafficCase() -> CauseCase? {
        guard let reading = reading(.requests), let change = reading.change, change.isUp else { return nil }
        var found = CauseCase(.trafficSurge, prior: -2.5)
        found.lead = change
        found.support(
            change.factor >= 1.4 ? 2.5 : 1.2,
            Phrases.moved(reading, change) + " (\(Phrases.relative(change.before, change.after)))")
        if let cost = self.reading(.cpuPerRequest), let processor = self.change(.cpu) {
            if let dearer = self.change(.cpuPerRequest), dearer.factor > 1.5 {
                found.object(
                    1, "each request costs more than before: " + Phrases.moved(cost, dearer))
            } else {
                found.support(
                    1.5,
                    "CPU rose with the requests, by a factor of \(Phrases.decimal(processor.factor, 1)): each costs "
                        + "what it did, \(Phrases.amount(cost.typical, of: .cpuPerRequest))")
            }
        }
        if self.reading(.cpu) != nil, self.change(.cpu) == nil, change.factor > 1.3 {
            found.object(2, "CPU did not rise with them")
        }
        weighFollowers(of: change, &found)
        if let cause = self.change(.dependencyLatency), cause.precedes(change) > 0.9 {
            found.object(2.5, "the dependency was slow before: these may be repeats")
        } else if let harm = firstHarm, harm.precedes(change) > 0.95 {
            found.object(3, "latency or errors rose before the rate did: these may be repeats")
        }
        return found
    }

    private func weighFollowers(of change: Change, _ found: inout CauseCase) {
        var followers: [String] = []
        for reading in readings where found.cause.mayChange(reading.kind, up: reading.change?.isUp ?? true) {
            guard let other = reading.change, reading.kind != .cpu, reading.kind != .requests,
                change.precedes(other) > 0.15, let moves = together(reading.kind, .requests), abs(moves.levels) > 0.6
            else { continue }
            followers.append(Phrases.subject(reading.kind, reading.name))
        }
        guard !followers.isEmpty else {
            if self.change(.cpu) == nil { found.object(2.5, "nothing else changed with it") }
            return
        }
        found.support(
            min(1.5, 0.6 * Double(followers.count)),
            "\(Phrases.list(Array(followers.prefix(4)))) rose with it or after it")
    }

    // MARK: - Dearer requests

    func processorCase(_ known: Beliefs) -> CauseCase? {
        guard let reading = reading(.cpu), let change = reading.change, change.isUp else { return nil }
        let release = deploy(before: change)
        var found = CauseCase(release == nil ? .cpu : .cpuBoundDeploy)
        found.lead = change
        found.trigger = release?.deploy
        found.support(1.5, Phrases.moved(reading, change))
        weighCost(&found)
        if let release {
            found.support(
                2.5 * (1 - release.chance),
                "release \(release.deploy.release) came "
                    + "\(Phrases.duration(abs(change.fit.onset - release.deploy.seconds))) before")
            if change.fit.isStep { found.support(0.5, "CPU rose at once, as with other code") }
        } else if observations.deploys != nil {
            found.object(0.5, "no release in the time before")
        }
        if growth.change == nil {
            if growth.reading != nil {
                found.support(0.8, "memory did not grow")
            } else if release == nil {
                found.object(1.5, "memory is not known: CPU may follow it")
            }
        }
        weighClimb(change, &found)
        if harm.isEmpty {
            found.object(1.5, "nobody is hurt: latency and errors are as before")
        }
        weighMemoryFirst(change, known.belief(.memory), &found)
        return found
    }

    private func weighCost(_ found: inout CauseCase) {
        guard let cost = reading(.cpuPerRequest) else { return }
        if let dearer = cost.change, dearer.isUp {
            found.support(1.5, Phrases.moved(cost, dearer))
        } else if change(.requests) != nil {
            found.object(
                5, "each request costs what it did, \(Phrases.amount(cost.typical, of: .cpuPerRequest)): there are more"
            )
        } else {
            found.object(1, "each request costs what it did")
        }
    }

    /// Other code costs more at once; what climbs on and on works on something that grows.
    private func weighClimb(_ change: Change, _ found: inout CauseCase) {
        guard change.fit.goesOn, self.change(.requests)?.fit.goesOn != true else { return }
        found.object(1, "CPU climbs on and on: something grows")
        if let work = self.change(.work), work.fit.goesOn, let name = workInStep {
            found.object(1.5, "so do \(name): a collection grows")
        }
    }

    /// CPU that climbs with memory is a consequence: lists are scanned, collectors run.
    private func weighMemoryFirst(_ change: Change, _ belief: Double, _ found: inout CauseCase) {
        guard let memory = growth.change ?? (growth.isLeak ? growth.reading?.change : nil) else {
            // A leak that shows in the verdict alone: its onset lies before the window or is not told from noise.
            if growth.isLeak { found.object(2 * belief, "memory is held to be leaking") }
            return
        }
        let first = memory.precedes(change)
        guard let moves = together(.cpu, .memory), moves.levels > 0.6, first > 0.05 else {
            if first > 0.9 { found.object(1.5 * belief, "memory grew first") }
            return
        }
        let order = first > 0.8 ? "memory rose first, and " : ""
        found.object(
            (first > 0.8 ? 5 : 4) * max(belief, 0.3) * moves.levels,
            "\(order)CPU moves with memory (r \(Phrases.decimal(moves.levels, 2)))"
                + (workInStep.map { ", in step with \($0)" } ?? ""))
        if let text = steadyPace { found.object(0.5 * belief, text) }
    }

    /// The work counter that CPU and memory move with, in words.
    var workInStep: String? {
        guard let work = reading(.work), work.change?.isUp == true, let cpu = reading(.cpu),
            let moves = CoMovement(cpu, with: work), moves.levels > 0.8
        else { return nil }
        return Phrases.subject(.work, work.name)
    }

    /// Were CPU to drive memory, memory would grow faster as CPU climbs.
    private var steadyPace: String? {
        guard let memory = growth.reading, let change = growth.change, let cpu = self.change(.cpu), cpu.factor > 1.5
        else { return nil }
        let part = memory.series.within(change.fit.onset...change.fit.end)
        let middle = (change.fit.onset + change.fit.end) / 2
        guard let first = MemoryGrowth.line(part.within(change.fit.onset...middle)),
            let second = MemoryGrowth.line(part.within(middle...change.fit.end)), first.low > 0, second.low > 0,
            (0.75...1.33).contains(second.estimate / first.estimate)
        else { return nil }
        return
            "memory kept its pace (\(Phrases.rate(first.estimate)), then \(Phrases.rate(second.estimate))) while CPU "
            + "grew by a factor of \(Phrases.decimal(cpu.factor, 1)): CPU does not drive it"
    }
}
