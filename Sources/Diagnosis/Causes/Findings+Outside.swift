import OakumModel

extension Findings {
    // MARK: - Something asked is slow

    func dependencyCase(_ known: Beliefs) -> CauseCase? {
        let measured = readings.contains { $0.kind == .dependencyLatency || $0.kind == .dependencyErrors }
        guard change(.latency) != nil || change(.dependencyLatency) != nil || change(.dependencyErrors) != nil else {
            return nil
        }
        var found = CauseCase(.slowDependency)
        if measured { weighMeasured(&found) } else { weighWaiting(&found) }
        weighLogs(.slowDependency, 0.7, &found)
        if let leak = growth.change, let latency = change(.latency), leak.precedes(latency) > 0.5 {
            found.object(2.5, times: known.belief(.memory), "memory grew before")
        }
        if change(.dependencyLatency) == nil {
            if let cost = change(.cpuPerRequest), let latency = change(.latency), cost.precedes(latency) > 0.05 {
                found.object(3, "CPU per request rose as well: the time is spent here")
            }
            found.object(3, times: known.belief(.diskFull), "a volume is full")
            found.object(3, times: known.belief(.network), "the network loses packets")
            found.object(3, times: known.belief(.trafficSurge), "there are more requests")
            found.object(3, times: known.belief(.hostMemory, .hostProcessor), "the host is short of what others took")
            found.object(2, times: known.belief(.fileDescriptors), "descriptors run out")
        }
        return found
    }

    private func weighMeasured(_ found: inout CauseCase) {
        let worse = [SignalKind.dependencyLatency, .dependencyErrors].compactMap { kind in
            reading(kind).flatMap { reading in reading.change.map { (reading, $0) } }
        }.filter { $0.1.isUp }
        guard let (reading, change) = worse.min(by: { $0.1.fit.onset < $1.1.fit.onset }) else {
            let words = readings.filter { $0.kind == .dependencyLatency }.map { reading in
                "\(Phrases.subject(reading.kind, reading.name)) is \(Phrases.amount(reading.typical, of: reading.kind))"
            }
            found.object(5, (words.first ?? "calls to the dependency fail as seldom as before") + " throughout")
            return
        }
        found.lead = change
        found.support(3.5, Phrases.moved(reading, change))
        guard let harm = firstHarm else {
            if self.reading(.latency) != nil { found.object(2, "this service answers as fast as before") }
            return
        }
        if reading.kind == .dependencyLatency, let own = self.reading(.latency),
            let moves = CoMovement(reading, with: own), moves.levels < 0.5
        {
            found.object(1.5, "this service's latency does not move with it (r \(Phrases.decimal(moves.levels, 2)))")
        }
        let first = change.precedes(harm)
        if first > 0.2 {
            found.support(1.2, "this service's own trouble began with it or after it")
        } else if first < 0.05 {
            found.object(2, "this service's own trouble began before")
        }
        if let surge = self.change(.requests), surge.precedes(change) > 0.95 {
            found.object(2, "the request rate rose before: the dependency may suffer from it too")
        }
    }

    /// Nobody measures what is asked: waiting shows as time without CPU.
    private func weighWaiting(_ found: inout CauseCase) {
        guard let reading = reading(.latency), let change = reading.change, change.isUp else { return }
        found.lead = change
        found.support(0.8, Phrases.moved(reading, change))
        if let cpu = self.reading(.cpu), self.change(.cpu) == nil {
            found.support(
                1.4,
                "CPU did not rise with it (\(Phrases.amount(cpu.latest, of: .cpu))): requests wait, they do not work")
        } else if self.reading(.cpu) == nil {
            found.object(1, "CPU is not known")
        } else if self.change(.cpuPerRequest) == nil, self.change(.requests) == nil {
            found.object(1.5, "CPU rose as well")
        }
        let pressures: [SignalKind] = [.cpuPressure, .memoryPressure, .ioPressure]
        let quiet = pressures.filter { isQuiet($0) }
        if quiet.count == 3 {
            found.support(0.8, "nothing on this host is short: no pressure on processors, memory or disk")
        } else if let pressed = pressures.first(where: { self.change($0) != nil }) {
            found.object(1.5, "\(Phrases.subject(pressed)) rose")
        }
        if self.reading(.cpuPressure) == nil { found.object(0.8, "whether processors are short is not known") }
        if self.reading(.network) == nil { found.object(1, "whether the network loses packets is not known") }
        if growth.change == nil, growth.reading != nil { found.support(0.4, "memory did not grow") }
        if let release = deploy(before: change) {
            found.object(1.5, "release \(release.deploy.release) came just before")
        }
    }

    // MARK: - The network

    func networkCase() -> CauseCase? {
        guard let reading = reading(.network), let change = reading.change, change.isUp else { return nil }
        var found = CauseCase(.network)
        found.lead = change
        found.support(change.after >= 0.01 ? 3 : 1.5, Phrases.moved(reading, change))
        weighHarm(after: change, of: reading, &found)
        weighLogs(.network, 0.7, &found)
        return found
    }

    /// Whether users were hurt with it or after it, and whether their trouble comes and goes with it.
    func weighHarm(after change: Change, of reading: Reading, _ found: inout CauseCase) {
        guard let harm = firstHarm else {
            found.object(1.5, "nobody is hurt: latency and errors are as before, or not known")
            return
        }
        let first = change.precedes(harm)
        let lead = change.fit.onset - harm.fit.onset
        if first > 0.2 {
            found.support(1, "latency or errors rose with it or after it")
        } else if first < 0.05 {
            // A burst just before may have nothing to do with it.
            let isLong = lead > 0.1 * change.fit.span
            found.object(isLong ? 2.5 : 1, "latency or errors rose \(Phrases.duration(lead)) before")
        }
        if let moves = self.harm.compactMap({ CoMovement($0, with: reading) }).max(by: {
            abs($0.levels) < abs($1.levels)
        }),
            abs(moves.levels) > 0.7
        {
            found.support(0.8, "they move with it (r \(Phrases.decimal(moves.levels, 2)))")
        }
    }

    // MARK: - A release without a resource to show for it

    func deployCase(_ known: Beliefs) -> CauseCase? {
        let hurt = harm.compactMap(\.change).compactMap { change in deploy(before: change).map { (change, $0) } }
        guard let (harm, release) = hurt.min(by: { $0.1.chance < $1.1.chance }) else { return nil }
        var found = CauseCase(.deploy)
        found.lead = harm
        found.trigger = release.deploy
        found.support(
            4 * (1 - release.chance),
            "users were hurt \(Phrases.duration(abs(harm.fit.onset - release.deploy.seconds))) after release "
                + release.deploy.release)
        if harm.fit.isStep { found.support(0.5, "and at once") }
        for other in known.cases where other.cause != .cacheFill && other.belief > 0.5 {
            // Where a resource shows what the release did, that is the better name.
            found.object(3.5 * other.belief, "\(other.cause.words) explains it")
        }
        return found
    }
}
