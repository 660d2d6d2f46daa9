import OakumModel

extension Findings {
    // MARK: - Disk

    func diskCase() -> CauseCase? {
        guard let reading = readings.filter({ $0.kind == .diskFree }).min(by: { $0.latest < $1.latest }) else {
            return nil
        }
        guard reading.worst < 0.1 || reading.change?.isUp == false else { return nil }
        var found = CauseCase(.diskFull)
        let name = reading.name.map { " of \($0)" } ?? ""
        if reading.worst <= 0.02 {
            found.support(4, "free space\(name) is down to \(Phrases.percent(reading.worst))")
        } else if reading.latest < 0.1 {
            found.support(1, "free space\(name) is down to \(Phrases.percent(reading.latest))")
        } else {
            found.object(2, "\(Phrases.percent(reading.latest)) of the space\(name) is still free")
        }
        found.lead = reading.change
        weighLogs(.diskFull, 1.5, &found)
        // What hurts is the moment of being full, not the begin of filling.
        if let full = fullSince(reading), let harm = firstHarm {
            if harm.fit.high >= full - reading.series.spacing {
                found.support(
                    1.5,
                    "failures began \(Phrases.duration(max(0, harm.fit.onset - full))) after it was full")
            } else {
                found.object(3, "failures began \(Phrases.duration(full - harm.fit.onset)) before it was full")
            }
        } else if harm.isEmpty {
            found.object(0.5, "nobody is hurt so far")
        }
        return found
    }

    private func fullSince(_ reading: Reading) -> Double? {
        zip(reading.series.times, reading.series.values).first { $0.1 <= 0.02 }?.0
    }

    // MARK: - Descriptors

    func descriptorCase(_ known: Beliefs) -> CauseCase? {
        guard let reading = reading(.fileDescriptors) else { return nil }
        let share = observations.descriptorLimit.flatMap { $0 > 0 ? reading.worst / Double($0) : nil }
        guard reading.change?.isUp == true || (share ?? 0) > 0.9 else { return nil }
        var found = CauseCase(.fileDescriptors)
        found.lead = reading.change
        if let change = reading.change, change.isUp {
            let text = Phrases.moved(reading, change)
            if change.fit.goesOn { found.support(2.2, text + " and goes on") } else { found.support(0.3, text) }
            weighConnections(change, known, &found)
        }
        if let share {
            if share >= 0.9 {
                found.support(2.5, "\(Phrases.percent(share)) of the descriptors it may open are open")
            } else if share >= 0.6 {
                found.support(1, "\(Phrases.percent(share)) of the descriptors it may open are open")
            } else {
                found.object(1, "\(Phrases.percent(share)) of the descriptors it may open: there is room")
            }
        }
        weighLogs(.fileDescriptors, 1.5, &found)
        return found
    }

    /// Connections are descriptors: more or slower requests hold more of them.
    private func weighConnections(_ change: Change, _ known: Beliefs, _ found: inout CauseCase) {
        for kind in [SignalKind.requests, .dependencyLatency, .latency, .inFlight] {
            guard let other = self.change(kind), other.precedes(change) > 0.3,
                let moves = together(.fileDescriptors, kind), moves.levels > 0.7
            else { continue }
            found.object(
                2.5, "it moves with \(Phrases.subject(kind)): connections (r \(Phrases.decimal(moves.levels, 2)))")
            return
        }
        if known.belief(.memory) > 0.5, let leak = growth.change, leak.precedes(change) > 0.9 {
            found.object(1, "memory grew before")
        }
    }

    // MARK: - Others on the machine

    func hostMemoryCase(_ known: Beliefs) -> CauseCase? {
        let scarce = reading(.hostMemory).flatMap { $0.worst < 0.08 ? $0 : nil }
        let pressure = reading(.memoryPressure).flatMap { reading in
            reading.change.flatMap { $0.isUp && $0.after >= 8 ? reading : nil }
        }
        guard scarce != nil || pressure != nil else { return nil }
        var found = CauseCase(.hostMemory)
        found.lead = pressure?.change ?? scarce?.change
        if let scarce {
            found.support(2, "only \(Phrases.percent(scarce.worst)) of the host's memory was available")
        }
        if let pressure, let change = pressure.change { found.support(2, Phrases.moved(pressure, change)) }
        if let own = growth.change, growth.isLeak || found.lead?.precedes(own) ?? 0 < 0.9 {
            found.object(4, "this worker's own memory grew")
        } else if growth.change != nil {
            found.object(1, "this worker's own memory grew too, later")
        } else if let own = growth.reading {
            found.support(
                1, "this worker's memory did not grow (\(Phrases.amount(own.typical, of: .memory))): others took it")
        }
        if let lead = found.lead, let reading = pressure ?? scarce { weighHarm(after: lead, of: reading, &found) }
        found.object(2, times: known.belief(.trafficSurge), "there are more requests")
        return found
    }

    func hostProcessorCase(_ known: Beliefs) -> CauseCase? {
        guard let reading = reading(.cpuPressure), let change = reading.change, change.isUp, change.after >= 10 else {
            return nil
        }
        var found = CauseCase(.hostProcessor)
        found.lead = change
        found.support(2, Phrases.moved(reading, change))
        if self.change(.cpu) != nil {
            found.object(4, "this worker's own CPU rose")
        } else if let own = self.reading(.cpu) {
            found.support(
                1.5, "this worker uses no more than before (\(Phrases.amount(own.latest, of: .cpu))): others run")
        } else {
            found.object(1.5, "whether this worker uses more than before is not known")
        }
        weighHarm(after: change, of: reading, &found)
        found.object(2, times: known.belief(.trafficSurge), "there are more requests")
        return found
    }
}
