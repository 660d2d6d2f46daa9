import OakumModel

extension Engine {
    /// Samples and decides once a second. A late tick is made up for by nothing: the next comes a second later.
    func followClock() async -> Ending? {
        var next = clock.now
        while !Task.isCancelled {
            next = next.advanced(by: .seconds(1))
            if next <= clock.now { next = clock.now.advanced(by: .seconds(1)) }
            do {
                try await clock.sleep(until: next, tolerance: .milliseconds(20))
            } catch {
                return nil
            }
            tick()
        }
        return nil
    }

    /// Never waits for anything: what may take time goes to the pumps.
    private func tick() {
        ticks += 1
        let now = host.now()
        var stored: [StoredSample] = []
        for name in services.keys.sorted() {
            guard let samples = services[name].map({ sample($0, at: now) }) else { continue }
            stored += samples
            // In place: a copy of the watch would copy every detector.
            let actions = services[name]?.tick(samples.map { ($0.worker.number, $0.sample) }, at: now) ?? []
            carryOut(actions, of: name)
        }
        tickDeploys(at: now)
        tellLeaks(at: now)
        if alertSink != nil, ticks % ruleSeconds == 0 || asksOften { ruleRound.raise() }
        if ticks % 2 == 0 { sinkRound.raise() }
        if problems.current["order"] != nil { orders.raise() }
        if ticks % 10 == 1 { readsAll = true }
        if readsAll || (ticks % 2 == 1 && hasInterest(at: now.uptime)) { slowRound.raise() }
        if ticks % 2 == 0 { logRound.raise() }
        if ticks % 600 == 10 { pruneDue = true }
        if ticks % 60 == 5, witness != nil { examinationJobs.yield(nil) }
        heapDesk.forget(at: now.uptime)
        if !unwritten.isEmpty || pruneDue { writes.raise() }
        store(stored, at: now)
    }

    private func hasInterest(at now: Uptime) -> Bool {
        deploys.values.contains { $0.gate != nil }
            || services.values.contains { service in
                service.isWorthCloserReadings || service.watches.values.contains { $0.isOfInterest(at: now) }
            }
    }

    private func sample(_ watch: ServiceWatch, at now: Moment) -> [StoredSample] {
        let living = watch.watches.map { (number: $0.key, process: $0.value.process) }.sorted { $0.number < $1.number }
        let readings = host.sample(living.map(\.process), at: now.uptime)
        return zip(living, readings).compactMap { worker, reading in
            guard var reading else { return nil }
            if let slow = slowReadings.removeValue(forKey: worker.process) {
                reading.fileDescriptors = slow.fileDescriptors
                reading.requests = slow.requests
            }
            let id = WorkerID(service: watch.configuration.name, number: worker.number)
            return StoredSample(worker: id, process: worker.process, sample: reading)
        }
    }

    /// A store that lags is left alone: what it cannot take is missing, and it is said.
    private func store(_ samples: [StoredSample], at now: Moment) {
        guard !samples.isEmpty else { return }
        if case .dropped = newBatches.yield(HistoryBatch(samples: samples, moment: now)) {
            problem("history", "the disk is slower than the samples come: some are missing")
        }
    }
}
