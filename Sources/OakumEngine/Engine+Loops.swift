import OakumModel
import Recycling

extension Engine {
    /// Applies the newest order; a failed one is raised again by the clock.
    func followOrders() async -> Ending? {
        for await _ in orders.stream {
            do throws(WorkerControlError) {
                try await control.apply(order)
                problems["keeper"] = nil
            } catch {
                problems["keeper"] = "the keeper did not take the order: \(error)"
            }
        }
        return nil
    }

    func followWrites() async -> Ending? {
        for await _ in writes.stream { await writeEvents() }
        return nil
    }

    /// Writes what waits. What cannot be written waits on, bounded, and is tried again by the clock.
    func writeEvents() async {
        while !unwritten.isEmpty {
            let batch = unwritten.take()
            do throws(StoreError) {
                _ = try await journal.append(batch)
                problems["journal"] = unwritten.lost > 0 ? "\(unwritten.lost) events were lost while it failed" : nil
            } catch {
                unwritten.putBack(batch)
                problems["journal"] = "events cannot be stored (\(unwritten.waiting.count) wait): \(error)"
                return
            }
        }
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
        let healthy = await probe.isHealthy(adminSocket: job.adminSocket, path: job.path, timeout: 2)
        update(job.service) { $0.probed(job.number, job.process, healthy: healthy, at: $1) }
    }

    /// Every 10 s: descriptors and requests, which cost more than a sample.
    func followSlowRounds() async -> Ending? {
        for await _ in slowRound.stream {
            var readings: [ProcessIdentity: SlowReading] = [:]
            for watch in services.values {
                for worker in watch.pool.serving {
                    guard let process = worker.process, let socket = worker.adminSocket else { continue }
                    let requests = await probe.requestsServed(adminSocket: socket, timeout: 1)
                    let descriptors = host.fileDescriptors(of: process)
                    readings[process] = SlowReading(fileDescriptors: descriptors, requests: requests)
                }
            }
            slowReadings = readings
        }
        return nil
    }

    func followSignals() async -> Ending? {
        while !Task.isCancelled {
            for await signal in control.signals() {
                update(signal.service) { $0.handle(signal, at: $1) }
            }
            guard !Task.isCancelled else { break }
            problems["keeper"] = "the keeper does not answer: crashed workers are not started again"
            do {
                try await clock.sleep(for: .seconds(1))
                try await compareWithKeeper()
                problems["keeper"] = nil
            } catch {
                // Cancelled, or still no keeper: the loop's condition and the next round tell which.
                continue
            }
        }
        return nil
    }

    /// After signals were lost: what the keeper has now against what is known.
    private func compareWithKeeper() async throws(WorkerControlError) {
        let inventory = try await control.inspect()
        keeperPID = inventory.keeperPID
        let alive = Set(inventory.workers.map(\.process))
        for (name, watch) in services {
            for (number, known) in watch.watches where !alive.contains(known.process) {
                let id = WorkerID(service: name, number: number)
                update(name) { $0.handle(.exited(id, known.process, .unknown, restartIn: nil), at: $1) }
            }
        }
        for worker in inventory.workers {
            let known = services[worker.id.service]?.watches[worker.id.number]
            guard known?.process != worker.process else { continue }
            update(worker.id.service) { $0.handle(.started(worker), at: $1) }
        }
        try await control.apply(order)
    }
}

extension WorkerSignal {
    var service: String {
        switch self {
        case .started(let worker): worker.id.service
        case .ready(let id, _), .stopping(let id, _), .exited(let id, _, _, _), .startFailed(let id, _, _): id.service
        }
    }
}
