import CLinux
import Glibc
import KeeperCore
import KeeperProtocol

extension Keeper {
    /// Answers one message of a client.
    func answer(_ message: ClientMessage, _ descriptor: Int32) {
        guard clients[descriptor]?.saidHello == true else {
            greet(message, descriptor)
            return
        }
        switch message {
        case .hello: clients[descriptor]?.dismiss("hello was said already")
        case .inspect:
            let inventory = state.inventory(keeperPID: getpid(), listeners: listeners.all)
            clients[descriptor]?.send(.inventory(inventory))
        case .apply(let order): apply(order, descriptor)
        case .stopAll:
            log.line("asked to stop by a client")
            perform(state.stopAll(at: linux_uptime_ms()))
        }
    }

    private func greet(_ message: ClientMessage, _ descriptor: Int32) {
        guard case .hello(let version) = message else {
            clients[descriptor]?.dismiss("the first message must be hello")
            return
        }
        clients[descriptor]?.saidHello = true
        clients[descriptor]?.send(.hello(version: keeperProtocolVersion, pid: getpid()))
        if version != keeperProtocolVersion {
            clients[descriptor]?.dismiss(
                "this keeper speaks version \(keeperProtocolVersion), not \(version); stop it and start the new one")
        }
    }

    private func apply(_ order: Order, _ descriptor: Int32) {
        do throws(Refusal) {
            try state.check(order)
            try checkSocketPaths(order)
            try listeners.prepare(order)
        } catch {
            log.line("refused order \(order.generation): \(error.text)")
            clients[descriptor]?.send(
                .refused(generation: order.generation, code: error.code, text: error.text))
            return
        }
        let actions = state.accept(order, at: linux_uptime_ms())
        let ordered = Set(order.services.map(\.name))
        log.line("order \(order.generation) stands: \(order.summary)")
        clients[descriptor]?.send(
            .applied(
                generation: order.generation, listeners: listeners.all.filter { ordered.contains($0.service) }))
        perform(actions)
    }

    private func checkSocketPaths(_ order: Order) throws(Refusal) {
        for service in order.services {
            for worker in service.workers {
                let key = WorkerKey(service: service.name, number: worker.number)
                guard let problem = folder.problem(with: key) else { continue }
                throw Refusal(.invalid, problem + "; use a state folder with a shorter path, or a shorter service name")
            }
        }
    }
}

extension Order {
    /// For the log: "web 1,2; api 7=r12".
    var summary: String {
        services.map { service in
            let workers = service.workers.sorted { $0.number < $1.number }.map { worker in
                worker.release.isEmpty ? "\(worker.number)" : "\(worker.number)=\(worker.release)"
            }
            return "\(service.name) \(workers.joined(separator: ","))"
        }.joined(separator: "; ")
    }
}

extension KeeperEvent {
    /// One sentence for the keeper's log.
    var logLine: String {
        switch self {
        case .started(let worker): "worker \(worker.key) started as process \(worker.process.pid)"
        case .ready(let key, let process): "worker \(key) (process \(process.pid)) is ready"
        case .stopping(let key, let process): "worker \(key) (process \(process.pid)) is stopping"
        case .exited(let key, let process, let status, let restart):
            "worker \(key) (process \(process.pid)) ended with \(status)" + Self.restartText(restart)
        case .startFailed(let key, let text, let restart):
            "worker \(key) could not be started: \(text)" + Self.restartText(restart)
        }
    }

    private static func restartText(_ milliseconds: UInt32?) -> String {
        milliseconds.map { ", starting again in \($0) ms" } ?? ""
    }
}
