import Logging
import ServiceLifecycle

/// The life of a service whose sockets are open: get ready, serve, drain.
struct HandoverRun {
    let service: Endpoint
    let admin: Endpoint
    let supervisor: SupervisorChannel
    let configuration: HandoverConfiguration
    let logger: Logger
    let readiness: @Sendable () async -> Bool

    private enum Event: Sendable {
        case asked(toDrain: Bool)
        case broken
        case deadline
        case served
        case adminServed
        case nothing
    }

    /// How often a service that is not ready yet is asked again.
    private static let readinessInterval = Duration.milliseconds(50)
    /// How long requests on the admin socket may take once the service has drained.
    private static let adminGrace = Duration.seconds(1)

    /// Returns when every connection has ended; throws when a listening socket broke.
    func untilDrained() async throws {
        let broke = await withTaskGroup(of: Event.self, returning: Bool.self) { group in
            group.addTask { await serve(service, then: .served) }
            group.addTask { await serve(admin, then: .adminServed) }
            group.addTask { await admin.accept() ? .nothing : .broken }
            group.addTask { await service.accept() ? .nothing : .broken }
            group.addTask { await whenAsked() }
            admin.startAccepting()

            var broke = false
            var isDraining = false
            for await event in group {
                switch event {
                case .asked(let toDrain):
                    if !isDraining { await beginDrain() }
                    isDraining = true
                    if toDrain {
                        group.addTask { await after(configuration.drainDeadline, .deadline) }
                    } else {
                        await cut()
                    }
                case .broken where !isDraining:
                    logger.error("a listening socket stopped working; draining")
                    broke = true
                    isDraining = true
                    await beginDrain()
                    group.addTask { await after(configuration.drainDeadline, .deadline) }
                case .deadline:
                    await cut()
                case .served:
                    await admin.stopAccepting()
                    // What was cut must be readable: whoever watches has the grace to ask once more.
                    let counted = service.counters.snapshot
                    if counted.cutRequests + counted.cutIdle == 0 { admin.closeIdleConnections() }
                    group.addTask { await after(Self.adminGrace, .adminServed) }
                case .adminServed:
                    await admin.cutConnections()
                    group.cancelAll()
                case .broken, .nothing:
                    break
                }
            }
            return broke
        }
        logEnd()
        if broke { throw HandoverError.listenerFailed }
    }

    private func serve(_ endpoint: Endpoint, then event: Event) async -> Event {
        await endpoint.serve()
        return event
    }

    /// Gets ready, then waits for the order to go.
    private func whenAsked() async -> Event {
        do {
            return try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await becomeReady()
                    return false
                }
                group.addTask {
                    try await gracefulShutdown()
                    return true
                }
                while let isShutdown = try await group.next() {
                    if isShutdown { break }
                }
                group.cancelAll()
                return .asked(toDrain: true)
            }
        } catch {
            // Both throw on cancellation alone: the service is told to stop at once.
            return .asked(toDrain: false)
        }
    }

    private func becomeReady() async throws {
        while await !readiness() {
            try await Task.sleep(for: Self.readinessInterval)
        }
        try Task.checkCancellation()
        service.startAccepting()
        let addresses = service.addresses
        logger.info(
            "serving",
            metadata: [
                "http": "\(addresses.map(\.description).joined(separator: " "))",
                "admin": "\(admin.addresses.first?.description ?? "none")",
            ])
        supervisor.send("READY=1", logger: logger)
        configuration.onServing(addresses, admin.addresses.first)
    }

    private func beginDrain() async {
        service.drain.raise()
        supervisor.send("STOPPING=1", logger: logger)
        await service.stopAccepting()
        logger.info("draining", metadata: ["http_connections": "\(service.counters.snapshot.connections)"])
    }

    private func cut() async {
        let before = service.counters.snapshot
        await service.cutConnections()
        let after = service.counters.snapshot
        let requests = after.cutRequests - before.cutRequests
        let idle = after.cutIdle - before.cutIdle
        guard requests + idle > 0 else { return }
        logger.warning(
            "the drain was cut short", metadata: ["cut_requests": "\(requests)", "cut_idle_connections": "\(idle)"])
    }

    private func after(_ duration: Duration, _ event: Event) async -> Event {
        do {
            try await Task.sleep(for: duration)
            return event
        } catch {
            return .nothing
        }
    }

    private func logEnd() {
        let counts = service.counters.snapshot
        logger.info(
            "drained",
            metadata: [
                "requests_answered": "\(counts.answeredTotal)", "requests_aborted": "\(counts.aborted)",
                "cut_requests": "\(counts.cutRequests)", "cut_idle_connections": "\(counts.cutIdle)",
            ])
    }
}
