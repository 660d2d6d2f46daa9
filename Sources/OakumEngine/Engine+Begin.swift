import OakumModel
import Recycling

extension Engine {
    /// Adopts the workers that run, gives the standing order, and feeds detectors with what they saw before a restart.
    func begin() async throws(WorkerControlError) {
        let inventory = try await control.inspect()
        keeperPID = inventory.keeperPID
        var actions: [(String, [WatchAction])] = []
        for service in configuration.services {
            let next = await nextNumber(of: service.name)
            var watch = ServiceWatch(
                configuration: service, observeOnly: configuration.observeOnly, nextNumber: next)
            let kept = inventory.workers.filter { $0.id.service == service.name }
            let ordered = inventory.order?.workers[service.name] ?? []
            let adopted = kept.filter { ordered.contains($0.id.number) }
            actions.append((service.name, watch.begin(adopting: adopted, ordered: ordered, at: host.now())))
            for worker in adopted {
                watch.restore(await recent(worker.process), of: worker.id.number, process: worker.process)
            }
            services[service.name] = watch
        }
        record([startedEvent(inventory)])
        for (service, actions) in actions { carryOut(actions, of: service) }
        try await control.apply(order)
    }

    /// The workers there should be, of all services.
    var order: StandingOrder {
        StandingOrder(workers: services.mapValues(\.pool.ordered))
    }

    private func startedEvent(_ inventory: WorkerInventory) -> Event {
        let alive = inventory.workers.count
        let mode = configuration.observeOnly ? ", observe-only" : ""
        let message =
            alive == 0
            ? "oakum \(configuration.version) started\(mode)"
            : "oakum \(configuration.version) started\(mode) and took over \(alive) running workers"
        return Event(
            kind: .watchStarted, at: host.now(), message: message,
            facts: ["adopted": "\(alive)", "keeper_pid": "\(inventory.keeperPID)"])
    }

    /// Above every number the journal knows, so that a number in an old event keeps its meaning.
    private func nextNumber(of service: String) async -> UInt32 {
        do throws(StoreError) {
            let record = try await journal.latest([.workerStarted], service: service)
            return record?.event.facts["next_number"].flatMap(UInt32.init) ?? 1
        } catch {
            problems["journal"] = "the journal cannot be read: \(error)"
            return 1
        }
    }

    private func recent(_ process: ProcessIdentity) async -> [Sample] {
        do throws(StoreError) {
            return try await history.recent(process)
        } catch {
            problems["history"] = "earlier samples cannot be read: \(error)"
            return []
        }
    }
}
