import Diagnosis
package import OakumAPI
package import OakumModel
import Recycling

extension Engine: ControlPlane {
    package func overview() async throws(ControlError) -> Overview {
        let now = host.now()
        let status = OakumStatus(
            version: configuration.version, pid: host.ownProcess.pid, keeperPID: keeperPID, startedAt: startedAt,
            observeOnly: configuration.observeOnly, paused: isPaused,
            rss: host.sample([host.ownProcess], at: now.uptime).first??.rss,
            problems: problems.texts)
        let all = configuration.services.compactMap { services[$0.name].map(status(of:)) }
        return Overview(at: now, oakum: status, services: all)
    }

    package func events(_ query: EventQuery) async throws(ControlError) -> [EventRecord] {
        guard query.limit > 0 else { throw .invalid("limit must be above 0") }
        do throws(StoreError) {
            return try await journal.events(after: query.after, limit: min(query.limit, 1_000))
        } catch {
            throw .failed("the journal cannot be read: \(error)")
        }
    }

    package func history(_ query: HistoryQuery) async throws(ControlError) -> History {
        guard let service = services[query.service] else { throw unknownService(query.service) }
        guard query.seconds > 0, query.seconds <= 366 * 86_400, query.points > 1, query.points <= 10_000 else {
            throw .invalid("seconds must be in 1...31622400 and points in 2...10000")
        }
        let since = WallTime(milliseconds: host.now().wall.milliseconds - Int64(query.seconds * 1_000))
        let stored: [StoredBuckets]
        do throws(StoreError) {
            stored = try await history.buckets(
                service: query.service, since: since, bucketSeconds: query.seconds / Double(query.points),
                limit: query.points)
        } catch {
            throw .failed("the history cannot be read: \(error)")
        }
        let workers = stored.map { process in
            WorkerHistory(
                number: process.worker.number, process: process.process,
                points: process.buckets.map { HistoryPoint(at: $0.start, floor: $0.floor, peak: $0.peak) })
        }
        return History(
            service: query.service, budget: service.configuration.budget, workers: workers,
            measures: measures[query.service]?.series(since: since))
    }

    package func perform(_ command: ControlCommand) async throws(ControlError) -> CommandOutcome {
        switch command {
        case .recycle(let service, let worker): return try recycle(service, worker)
        case .pause(let paused): return pause(paused)
        case .markDeploy(let service, let text): return try noteDeploy(service: service, what: text)
        case .deploy(let request): return try await deploy(request)
        case .rollback(let service, let release, let whom): return try await rollback(service, to: release, by: whom)
        case .down:
            record([Event(kind: .command, at: host.now(), message: "asked to stop everything")])
            end(.down)
            return CommandOutcome(message: "stopping all workers, the keeper and oakum")
        }
    }

    private func recycle(_ service: String, _ worker: UInt32?) throws(ControlError) -> CommandOutcome {
        guard let watch = services[service] else { throw unknownService(service) }
        guard !isPaused else { throw .refused("acts are paused: allow them again with `oakum pause --off`") }
        let candidates = watch.pool.ordered.sorted()
        if let worker, !candidates.contains(worker) {
            let names = candidates.map(String.init).joined(separator: ", ")
            throw .notFound("service \(service) has no worker \(worker); it has \(names)")
        }
        if let current = watch.pool.current, let worker {
            if worker == current.successor {
                throw .refused("\(service)/\(worker) is just taking over from \(service)/\(current.request.worker)")
            }
            if worker == current.request.worker {
                return CommandOutcome(message: "\(service)/\(worker) is being replaced already")
            }
        }
        let numbers = worker.map { [$0] } ?? candidates.filter { $0 != watch.pool.current?.successor }
        let names = numbers.map { "\(service)/\($0)" }.joined(separator: ", ")
        let event = Event(
            kind: .command, at: host.now(), service: service, worker: worker, message: "asked to recycle \(names)")
        record([event])
        for number in numbers {
            update(service) { $0.recycleByHand(number, by: "the control socket", at: $1) }
        }
        return CommandOutcome(message: "recycling \(names), one at a time")
    }

    private func pause(_ paused: Bool) -> CommandOutcome {
        if paused != isPaused {
            isPaused = paused
            for name in services.keys { services[name]?.setPaused(paused) }
            let message = paused ? "acts are paused; watching goes on" : "acts are allowed again"
            record([Event(kind: paused ? .paused : .resumed, at: host.now(), message: message)])
        }
        return CommandOutcome(message: paused ? "paused: nothing is recycled until `oakum pause --off`" : "resumed")
    }

    func unknownService(_ name: String) -> ControlError {
        let names = configuration.services.map(\.name).joined(separator: ", ")
        return .notFound("there is no service \(name); there is \(names)")
    }

    private func status(of watch: ServiceWatch) -> ServiceStatus {
        let pool = watch.pool
        let workers = pool.workers.values.sorted { $0.number < $1.number }.map { worker in
            let known = watch.watches[worker.number]
            var verdict = known?.verdict ?? Verdict(code: .notEnoughData)
            // What was named speaks for the verdict too, and is shown wherever evidence is.
            let leaks = known?.leaks ?? []
            if let diagnosis = known?.diagnosis { verdict.evidence += diagnosis.lines }
            verdict.evidence += leaks.map(\.sentence)
            return WorkerStatus(
                number: worker.number, phase: worker.phase.shown, process: worker.process,
                startedAt: known?.startedAt, latest: known?.latest, cpuCores: known?.cpuCores,
                verdict: verdict, summary: known?.summary ?? Words.verdict(.notEnoughData),
                leaks: leaks.isEmpty ? nil : leaks, diagnosis: known?.diagnosis)
        }
        let symptoms = watch.trouble.symptoms.map(\.sentence)
        return ServiceStatus(
            name: watch.configuration.name, address: addressOf(watch.configuration.name),
            desiredWorkers: pool.settings.desired, capacityFloor: pool.settings.capacityFloor,
            budget: watch.configuration.budget, recycles: pool.finished, recycling: pool.current != nil,
            samplesHeap: watch.configuration.samplesHeap && witness != nil, symptoms: symptoms.isEmpty ? nil : symptoms,
            diagnosis: watch.trouble.diagnosis, workers: workers)
    }
}

extension PoolWorker.Phase {
    var shown: WorkerPhase {
        switch self {
        case .starting: .starting
        case .serving: .serving
        case .draining: .draining
        case .down: .down
        }
    }
}
