import Diagnosis
import OakumModel
import Recycling
import Releases

extension Engine {
    /// Adopts the workers that run, gives the standing order, and feeds detectors with what they saw before a restart.
    func begin() async throws(WorkerControlError) {
        // Before the question: what happens in between is told twice rather than never.
        signals = control.signals()
        let inventory = try await control.inspect()
        keeperPID = inventory.keeperPID
        if !inventory.workers.isEmpty { isPaused = await wasPaused() }
        record([startedEvent(inventory)])
        if !earlierDamage.isEmpty { problem("earlier history", earlierDamage.joined(separator: "; ")) }
        // Running workers are of this boot, and so are the recycles that made them: their uptimes can be compared.
        let journalled = inventory.workers.isEmpty ? [:] : await recentEvents()
        for service in configuration.services {
            let next = await nextNumber(of: service.name)
            let desk = await deployDesk(of: service)
            deploys[service.name] = desk
            var watch = ServiceWatch(
                configuration: service, observeOnly: configuration.observeOnly,
                release: desk?.ledger.current ?? .configured, nextNumber: next)
            watch.setPaused(isPaused)
            watch.trouble.restore(
                deploys: journalled[service.name]?.deploys ?? [], program: await earlierProgram(of: service.name))
            let kept = inventory.workers.filter { $0.id.service == service.name }
            let ordered = inventory.order?.workers[service.name] ?? [:]
            let actions = watch.begin(
                adopting: kept, ordered: ordered, trial: desk?.trial(among: ordered),
                recycles: journalled[service.name]?.recycles ?? [], at: host.now())
            for worker in kept {
                watch.restore(await recent(worker.process), of: worker.id.number, process: worker.process)
            }
            services[service.name] = watch
            carryOut(actions, of: service.name)
            happened(.resumed, to: service.name)
        }
        await recallAlerts()
        await recallBusiness()
        try await control.apply(order)
    }

    /// Nil for a service that takes no releases. Without its ledger no deploy is possible, and what is configured runs.
    private func deployDesk(of service: ServiceConfiguration) async -> DeployDesk? {
        guard let settings = service.deploys, let releaseStore else { return nil }
        do throws(StoreError) {
            return DeployDesk(settings: settings, ledger: try await releaseStore.ledger(of: service.name))
        } catch {
            problem("releases of \(service.name)", "they cannot be read, so nothing can be deployed: \(error)")
            return nil
        }
    }

    /// The workers there should be, of all services.
    var order: StandingOrder {
        StandingOrder(workers: services.mapValues(\.pool.releases))
    }

    private func startedEvent(_ inventory: WorkerInventory) -> Event {
        let names = Set(configuration.services.map(\.name))
        let alive = inventory.workers.count { names.contains($0.id.service) }
        let foreign = inventory.workers.count - alive
        var message = "oakum \(configuration.version) started"
        if configuration.observeOnly { message += ", observe-only" }
        if isPaused { message += ", still paused" }
        if alive > 0 { message += " and took over \(alive) running workers" }
        if foreign > 0 { message += "; \(foreign) of services that are no longer configured are stopped" }
        return Event(
            kind: .watchStarted, at: host.now(), message: message,
            facts: ["adopted": "\(alive)", "keeper_pid": "\(inventory.keeperPID)"])
    }

    /// Above every number the journal knows, so that a number in an old event keeps its meaning.
    private func nextNumber(of service: String) async -> UInt32 {
        let record = await latest(ServiceWatch.numberingKinds, service: service)
        return record?.event.facts["next_number"].flatMap(UInt32.init) ?? 1
    }

    /// A pause is a person's word: it holds until it is taken back, restarts of `oakum` or not. After `down` it is over.
    private func wasPaused() async -> Bool {
        await latest([.paused, .resumed], service: nil)?.event.kind == .paused
    }

    private func latest(_ kinds: Set<EventKind>, service: String?) async -> EventRecord? {
        do throws(StoreError) {
            return try await journal.latest(kinds, service: service)
        } catch {
            problem("journal", "it cannot be read: \(error)")
            return nil
        }
    }

    /// When recycles started and releases came, by service, as far as the newest page of the journal tells.
    private func recentEvents() async -> [String: (recycles: [Uptime], deploys: [Deploy])] {
        do throws(StoreError) {
            let events = try await journal.events(after: nil, limit: 1_000).map(\.event)
            return Dictionary(grouping: events) { $0.service ?? "" }.mapValues { events in
                let deploys = events.filter { $0.kind == .deploy }.compactMap { event in
                    event.facts["release"].map { Deploy(seconds: event.at.uptime.seconds, release: $0) }
                }
                return (events.filter { $0.kind == .recycleStarted }.map(\.at.uptime), deploys)
            }
        } catch {
            problem("journal", "it cannot be read: \(error)")
            return [:]
        }
    }

    /// The program that a service's workers ran when it was looked at last.
    private func earlierProgram(of service: String) async -> String? {
        await latest([.workerReady, .deploy], service: service)?.event.facts["program"]
    }

    private func recent(_ process: ProcessIdentity) async -> [Sample] {
        do throws(StoreError) {
            return try await history.recent(process)
        } catch {
            problem("history", "earlier samples cannot be read: \(error)")
            return []
        }
    }
}
