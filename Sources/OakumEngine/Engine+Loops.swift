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

    /// Every 10 s: descriptors and requests, which cost more than a sample. Eight workers at a time, so that some that
    /// hang do not starve the others.
    func followSlowRounds() async -> Ending? {
        for await _ in slowRound.stream {
            // What was not picked up belongs to processes that are gone.
            slowReadings.removeAll()
            let serving = services.values.flatMap(\.pool.serving)
            var jobs = serving.compactMap { worker in
                worker.process.flatMap { process in worker.adminSocket.map { (process, $0) } }
            }.makeIterator()
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    guard let (process, socket) = jobs.next() else { break }
                    group.addTask { await self.readSlowly(process, socket) }
                }
                while await group.next() != nil {
                    guard let (process, socket) = jobs.next() else { continue }
                    group.addTask { await self.readSlowly(process, socket) }
                }
            }
        }
        return nil
    }

    private func readSlowly(_ process: ProcessIdentity, _ adminSocket: String) async {
        let probe = probe
        let requests = await within(seconds: 1.5) {
            await probe.requestsServed(adminSocket: adminSocket, timeout: 1)
        }
        slowReadings[process] = SlowReading(
            fileDescriptors: host.fileDescriptors(of: process), requests: requests ?? nil)
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
