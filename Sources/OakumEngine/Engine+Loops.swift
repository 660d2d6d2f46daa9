import OakumModel
import Recycling

extension Engine {
    /// The only place that writes to the journal and cleans it.
    func followWrites() async -> Ending? {
        for await _ in writes.stream {
            await writeEvents()
            if pruneDue { await pruneJournal() }
        }
        return nil
    }

    /// Writes what waits. What cannot be written waits on, bounded, and is tried again by the clock.
    func writeEvents() async {
        while !unwritten.isEmpty {
            let batch = unwritten.take()
            do throws(StoreError) {
                _ = try await journal.append(batch)
            } catch {
                unwritten.putBack(batch)
                problem("journal", "events cannot be stored (\(unwritten.waiting.count) wait): \(error)")
                return
            }
            problem("journal", nil)
            let lost = unwritten.takeLost()
            if lost > 0 {
                let message = "\(lost) events were lost: the journal failed for longer than memory could hold them"
                unwritten.add([Event(kind: .problem, at: host.now(), message: message, facts: ["lost": "\(lost)"])])
            }
        }
    }

    private func pruneJournal() async {
        pruneDue = false
        let now = host.now()
        let age = Int64(configuration.journalDays) * 86_400_000
        do throws(StoreError) {
            _ = try await journal.prune(
                before: WallTime(milliseconds: now.wall.milliseconds - age), keeping: configuration.journalLimit)
        } catch {
            problem("journal", "old events cannot be deleted: \(error)")
        }
    }

    /// Stores samples second by second; a store that hangs holds up nothing else.
    func followHistory() async -> Ending? {
        for await batch in batches {
            do throws(StoreError) {
                try await history.append(batch.samples, at: batch.moment)
                problem("history", nil)
            } catch {
                problem("history", "samples cannot be stored: \(error)")
            }
        }
        return nil
    }

    func followProbes() async -> Ending? {
        await withDiscardingTaskGroup { group in
            for await job in probes {
                group.addTask { await self.probe(job) }
            }
        }
        return nil
    }

    private func probe(_ job: ProbeJob) async {
        let probe = probe
        let healthy = await within(seconds: 3) {
            await probe.isHealthy(adminSocket: job.adminSocket, path: job.path, timeout: 2)
        }
        update(job.service) { $0.probed(job.number, job.process, healthy: healthy ?? false, at: $1) }
    }

    /// One look into a heap at a time: it costs a core for as long as it takes.
    func followExaminations() async -> Ending? {
        for await job in examinations {
            let witness = witness
            guard let job else {
                await witness?.tidy()
                continue
            }
            let result = await within(seconds: 15) {
                await witness?.examine(job.process, of: job.worker) ?? .nothing("no sampler is installed")
            }
            let examination = result ?? .nothing("looking took too long")
            update(job.worker.service) { $0.examined(job.worker.number, job.process, examination, at: $1) }
        }
        return nil
    }

    private struct SlowJob: Sendable {
        var service: String
        var process: ProcessIdentity
        var adminSocket: String
    }

    /// Every 10 s, and every 2 s of workers that are young or leak: descriptors and what the worker tells of itself, which
    /// cost more than a sample. Eight workers at a time, so that some that hang do not starve the others.
    func followSlowRounds() async -> Ending? {
        for await _ in slowRound.stream {
            let now = host.now().uptime
            let asked = slowJobs(at: now)
            var jobs = asked.makeIterator()
            readsAll = false
            machine.add(host.machine(), at: now)
            // What was not picked up belongs to processes that are gone.
            slowReadings.removeAll()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    guard let job = jobs.next() else { break }
                    group.addTask { await self.readSlowly(job) }
                }
                while await group.next() != nil {
                    guard let job = jobs.next() else { continue }
                    group.addTask { await self.readSlowly(job) }
                }
            }
            closeRound(asked)
        }
        return nil
    }

    /// A service of which all that serve were asked has one more reading of itself.
    private func closeRound(_ asked: [SlowJob]) {
        let processes = Set(asked.map(\.process))
        for (name, service) in services {
            let serving = service.pool.serving.filter { $0.adminSocket != nil }.compactMap(\.process)
            guard !serving.isEmpty, serving.allSatisfy({ processes.contains($0) }) else { continue }
            update(name) { $0.roundFinished(machine: machine.latest, at: $1) }
        }
    }

    private func slowJobs(at now: Uptime) -> [SlowJob] {
        services.sorted { $0.key < $1.key }.flatMap { name, service -> [SlowJob] in
            let isSuspicious = service.isWorthCloserReadings
            return service.pool.serving.compactMap { worker in
                guard let process = worker.process, let socket = worker.adminSocket,
                    readsAll || isSuspicious || deploys[name]?.compares(worker.number) == true
                        || service.watches[worker.number]?.isOfInterest(at: now) == true
                else { return nil }
                return SlowJob(service: name, process: process, adminSocket: socket)
            }
        }
    }

    private func readSlowly(_ job: SlowJob) async {
        let probe = probe
        let answer = await within(seconds: 1.5) {
            await probe.measures(adminSocket: job.adminSocket, timeout: 1)
        }
        let measures = answer ?? nil
        let descriptors = host.descriptors(of: job.process)
        slowReadings[job.process] = SlowReading(fileDescriptors: descriptors?.open, requests: measures?.requests)
        services[job.service]?.measured(job.process, descriptors, measures, at: host.now())
        if let measures { compare(job, measures) }
    }

    /// For the comparison of a deploy, together with the latest sample.
    private func compare(_ job: SlowJob, _ measures: ServiceMeasures) {
        let found = services[job.service]?.watches.first { $0.value.process == job.process }
        guard let (number, watch) = found, var sample = watch.latest else { return }
        sample.fileDescriptors = slowReadings[job.process]?.fileDescriptors
        deploys[job.service]?.add(sample, measures, of: number)
    }

    /// Cancels what takes too long, and answers nil. For work that does not keep to the timeout it was given.
    func within<Value: Sendable>(
        seconds: Double, _ work: @escaping @Sendable () async -> Value
    ) async -> Value? {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await work() }
            group.addTask { [clock] in
                // Cancelled: the work was faster.
                try? await clock.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
