import OakumModel
import Recycling

extension Engine {
    /// Applies the newest order. The only place that gives orders once the engine is up, so that an older one can never
    /// overtake a newer one; a failed one is raised again by the clock.
    func followOrders() async -> Ending? {
        for await _ in orders.stream {
            // Decided on what may be long past: the comparison comes first.
            guard problems.current["keeper"] == nil else { continue }
            do throws(WorkerControlError) {
                try await control.apply(order)
                problem("order", nil)
            } catch {
                problem("order", "the keeper did not take the order: \(error)")
            }
        }
        return nil
    }

    func followSignals() async -> Ending? {
        var stream = signals
        while !Task.isCancelled {
            for await signal in stream {
                update(signal.service) { $0.handle(signal, at: $1) }
            }
            guard !Task.isCancelled else { break }
            problem("keeper", "it does not answer: until it does, workers that crash may stay away")
            for name in services.keys { services[name]?.setBlind(true) }
            guard let again = await reconnect() else { break }
            for name in services.keys { services[name]?.setBlind(false) }
            problem("keeper", nil)
            orders.raise()
            stream = again
        }
        return nil
    }

    /// Asks once a second until the keeper answers; nil when cancelled.
    private func reconnect() async -> AsyncStream<WorkerSignal>? {
        while true {
            do {
                try await clock.sleep(for: .seconds(1))
            } catch {
                return nil
            }
            // Before the question: what happens in between is told twice rather than never.
            let stream = control.signals()
            do throws(WorkerControlError) {
                try await compareWithKeeper()
                return stream
            } catch {
                problem("keeper", "it does not answer: until it does, workers that crash may stay away (\(error))")
            }
        }
    }

    /// After signals were lost: what the keeper has now against what is known.
    private func compareWithKeeper() async throws(WorkerControlError) {
        let inventory = try await control.inspect()
        keeperPID = inventory.keeperPID
        let alive = Set(inventory.workers.map(\.process))
        for name in services.keys.sorted() {
            let gone = services[name]?.watches.filter { !alive.contains($0.value.process) }.mapValues(\.process) ?? [:]
            for (number, process) in gone.sorted(by: { $0.key < $1.key }) {
                let id = WorkerID(service: name, number: number)
                update(name) { $0.handle(.exited(id, process, .unknown, restartIn: nil), at: $1) }
            }
        }
        for worker in inventory.workers {
            update(worker.id.service) { $0.handle(.started(worker), at: $1) }
        }
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
