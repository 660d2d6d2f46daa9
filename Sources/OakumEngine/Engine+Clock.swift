import OakumModel

extension Engine {
    /// Samples and decides once a second. A late tick is made up for by nothing: the next comes a second later.
    func followClock() async -> Ending? {
        var next = clock.now
        while !Task.isCancelled {
            next = max(next.advanced(by: .seconds(1)), clock.now)
            do {
                try await clock.sleep(until: next, tolerance: .milliseconds(20))
            } catch {
                return nil
            }
            await tick()
        }
        return nil
    }

    private func tick() async {
        ticks += 1
        let now = host.now()
        var stored: [StoredSample] = []
        for name in services.keys.sorted() {
            guard var watch = services[name] else { continue }
            let samples = sample(watch, at: now)
            stored += samples.compactMap { number, sample in
                watch.watches[number].map {
                    StoredSample(
                        worker: WorkerID(service: name, number: number), process: $0.process, sample: sample)
                }
            }
            let actions = watch.tick(samples, at: now)
            services[name] = watch
            carryOut(actions, of: name)
        }
        if problems["keeper"] != nil { orders.raise() }
        if !unwritten.isEmpty { writes.raise() }
        if ticks % 10 == 1 { slowRound.raise() }
        if ticks % 600 == 10 { await pruneJournal(at: now) }
        await store(stored, at: now)
    }

    private func sample(_ watch: ServiceWatch, at now: Moment) -> [(number: UInt32, sample: Sample)] {
        let living = watch.watches.sorted { $0.key < $1.key }
        let readings = host.sample(living.map(\.value.process), at: now.uptime)
        var samples: [(number: UInt32, sample: Sample)] = []
        for ((number, worker), reading) in zip(living, readings) {
            guard var reading else { continue }
            if let slow = slowReadings.removeValue(forKey: worker.process) {
                reading.fileDescriptors = slow.fileDescriptors
                reading.requests = slow.requests
            }
            samples.append((number, reading))
        }
        return samples
    }

    /// A store that is still busy with the last second is left alone: that second is missing, and it is said.
    private func store(_ samples: [StoredSample], at now: Moment) async {
        guard !samples.isEmpty else { return }
        guard !historyBusy else {
            problems["history"] = "the disk is slower than the samples come: some are missing"
            return
        }
        historyBusy = true
        defer { historyBusy = false }
        do throws(StoreError) {
            try await history.append(samples, at: now)
            problems["history"] = nil
        } catch {
            problems["history"] = "samples cannot be stored: \(error)"
        }
    }

    private func pruneJournal(at now: Moment) async {
        let age = Int64(configuration.journalDays) * 86_400_000
        do throws(StoreError) {
            _ = try await journal.prune(
                before: WallTime(milliseconds: now.wall.milliseconds - age), keeping: configuration.journalLimit)
        } catch {
            problems["journal"] = "old events cannot be deleted: \(error)"
        }
    }
}
