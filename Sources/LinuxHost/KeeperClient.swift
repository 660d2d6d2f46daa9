import KeeperProtocol
package import OakumEngine
import OakumModel
import Synchronization

/// The engine's `WorkerControl` over a keeper. Launches the keeper when none serves the state folder.
///
/// A lost connection is made again by the next call. A client that ends (or dies) leaves keeper and workers alone.
/// To miss nothing, take `signals()` first and `inspect()` then: what happened before is in the inventory.
package final class KeeperClient: WorkerControl {
    private let link: KeeperLink
    private let launch: KeeperLaunch
    /// Each with its order without builds and workers.
    private let services: [String: (service: KeptService, order: ServiceOrder)]
    private let listeners = Mutex<[String: String]>([:])

    /// - Parameters:
    ///   - stateFolder: absolute path; the keeper creates it (0700) where needed. Short: socket paths in it must stay
    ///     within 107 bytes.
    ///   - keeperProgram: path of `oakum-keeper`.
    ///   - services: every service an order may name.
    /// - Throws: `refused` when a service's user is unknown or may not be changed to.
    package init(
        stateFolder: String, keeperProgram: String, services: [KeptService]
    ) throws(WorkerControlError) {
        launch = KeeperLaunch(program: keeperProgram, stateFolder: stateFolder)
        link = try KeeperLink()
        var known: [String: (service: KeptService, order: ServiceOrder)] = [:]
        for service in services { known[service.name] = (service, try service.serviceOrder()) }
        self.services = known
    }

    deinit { link.close() }

    /// Where a service listens ("127.0.0.1:8080", with the port the kernel chose); nil before the first `apply` or
    /// `inspect`, and for a service without a shared socket.
    package func listenAddress(of service: String) -> String? {
        listeners.withLock { $0[service] }
    }

    /// Ends the connection and its thread. Keeper and workers go on.
    package func close() {
        link.close()
    }

    package func apply(_ order: StandingOrder) async throws(WorkerControlError) {
        var orders: [ServiceOrder] = []
        for (name, releases) in order.workers.sorted(by: { $0.key < $1.key }) {
            guard let known = services[name] else {
                throw .refused("service \(name) is not in the configuration")
            }
            var service = known.order
            // A service without workers keeps its address: one build has to be there all the same.
            service.builds = Set(releases.values).union(releases.isEmpty ? [.configured] : []).sorted()
                .map(known.service.build)
            service.workers = releases.sorted { $0.key < $1.key }
                .map { WorkerOrder(number: $0.key, release: $0.value.text) }
            orders.append(service)
        }
        if case .applied(let listeners) = try await link.ask(.apply(orders), launch: launch) { remember(listeners) }
    }

    package func inspect() async throws(WorkerControlError) -> WorkerInventory {
        guard case .inventory(let inventory) = try await link.ask(.inspect, launch: launch) else {
            throw .keeperLost("the keeper answered another question")
        }
        remember(inventory.listeners)
        return WorkerInventory(inventory)
    }

    package func signals() -> AsyncStream<WorkerSignal> {
        link.signals()
    }

    package func stopAll() async throws(WorkerControlError) {
        let patience = services.values.map(\.order.stopDeadlineMilliseconds).max() ?? 0
        _ = try await link.ask(.stopAll(patience: UInt64(patience)), launch: launch)
    }

    private func remember(_ found: [Listener]) {
        listeners.withLock { listeners in
            listeners = Dictionary(found.map { ($0.service, $0.resolved) }, uniquingKeysWith: { first, _ in first })
        }
    }
}
