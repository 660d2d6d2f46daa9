import CLinux
import Glibc
import KeeperProtocol
import OakumEngine
import OakumModel

/// The thread that talks to the keeper: connects when asked something, passes on events, matches answers.
final class KeeperSession {
    private struct Pending {
        var request: KeeperRequest
        var deadline: UInt64
    }

    /// How long another keeper that is just starting is waited for.
    private static let startMilliseconds: UInt64 = 5_000

    private let link: KeeperLink
    private let launch: KeeperLaunch
    private var connection: KeeperConnection?
    /// Asked and not answered; the keeper answers in the order of the questions.
    private var pending: [Pending] = []
    /// Generation of the standing order as far as we know.
    private var generation: UInt64 = 0

    init(link: KeeperLink, launch: KeeperLaunch) {
        self.link = link
        self.launch = launch
    }

    func run() {
        while let requests = link.takeRequests() {
            for request in requests { begin(request) }
            waitForNews()
        }
        for waiting in pending { answer(waiting.request, .failure(.keeperLost("this client is closed"))) }
    }

    // MARK: - Questions

    private func begin(_ request: KeeperRequest) {
        do throws(WorkerControlError) {
            if case .stopAll = request.question {
                // No keeper, nothing to stop.
                if connection == nil { connection = try greeted(KeeperConnection.open(socketPath)) }
                guard connection != nil else { return answer(request, .success(.stopped)) }
            }
            let connection = try connected()
            var patience = KeeperConnection.answerMilliseconds
            switch request.question {
            case .apply(let services):
                try connection.send(.apply(Order(generation: generation &+ 1, services: services)))
            case .inspect: try connection.send(.inspect)
            case .stopAll(let deadline):
                patience += deadline
                try connection.send(.stopAll)
            }
            pending.append(Pending(request: request, deadline: linux_uptime_ms() + patience))
        } catch {
            answer(request, .failure(error))
            if case .keeperLost = error { lose(error) }
        }
    }

    private var socketPath: String { "\(launch.stateFolder)/keeper.sock" }

    private func connected() throws(WorkerControlError) -> KeeperConnection {
        if let connection { return connection }
        if let found = try greeted(KeeperConnection.open(socketPath)) {
            connection = found
            return found
        }
        let deadline = linux_uptime_ms() + Self.startMilliseconds
        switch try launch.run() {
        case .ready: break
        case .another(let text):
            // Another oakum was faster by a moment: its keeper holds the lock and opens its socket any time now.
            while connection == nil {
                connection = try greeted(KeeperConnection.open(socketPath))
                guard linux_uptime_ms() < deadline else { throw .refused("the keeper could not start: \(text)") }
                if connection == nil { poll(nil, 0, 20) }
            }
        }
        if connection == nil { connection = try greeted(KeeperConnection.open(socketPath)) }
        guard let connection else {
            throw .keeperLost("the keeper does not listen on \(socketPath); see \(launch.stateFolder)/logs/keeper.log")
        }
        return connection
    }

    /// Says hello and learns which order stands.
    private func greeted(_ connection: KeeperConnection?) throws(WorkerControlError) -> KeeperConnection? {
        guard let connection else { return nil }
        try connection.send(.hello(version: keeperProtocolVersion))
        try connection.send(.inspect)
        let deadline = linux_uptime_ms() + KeeperConnection.answerMilliseconds
        while connection.wait(for: Int16(POLLIN), until: deadline) {
            let (messages, end) = connection.receive()
            var isGreeted = false
            for message in messages {
                switch message {
                case .inventory(let inventory):
                    generation = inventory.generation ?? 0
                    isGreeted = true
                // Events from before the inventory are in it already.
                case .event(let event) where isGreeted: link.give(WorkerSignal(event))
                case .goodbye(let text): throw .refused("the keeper turned us away: \(text)")
                default: continue
                }
            }
            if isGreeted { return connection }
            if let end { throw end }
        }
        throw .keeperLost("the keeper (process \(connection.keeperPID)) does not answer")
    }

    // MARK: - News

    private func waitForNews() {
        var waits = [pollfd(fd: link.wake, events: Int16(POLLIN), revents: 0)]
        if let connection { waits.append(pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0)) }
        let now = linux_uptime_ms()
        let timeout = pending.map(\.deadline).min().map { $0 <= now ? 0 : Int32(clamping: $0 - now) } ?? -1
        guard poll(&waits, nfds_t(waits.count), timeout) >= 0 else { return }
        if waits[0].revents != 0 { linux_wake_clear(link.wake) }
        if waits.count > 1, waits[1].revents != 0 { receive() }
        let after = linux_uptime_ms()
        if pending.contains(where: { $0.deadline <= after }) {
            lose(.keeperLost("the keeper does not answer; its workers go on serving"))
        }
    }

    private func receive() {
        guard let connection else { return }
        let (messages, end) = connection.receive()
        for message in messages { take(message) }
        if let end { lose(end) }
    }

    private func take(_ message: KeeperMessage) {
        switch message {
        case .hello: break
        case .event(let event): link.give(WorkerSignal(event))
        case .inventory(let inventory):
            generation = max(generation, inventory.generation ?? 0)
            guard case .inspect? = pending.first?.request.question else { return }
            answer(pending.removeFirst().request, .success(.inventory(inventory)))
        case .applied(let number, let listeners):
            generation = max(generation, number)
            guard case .apply? = pending.first?.request.question else { return }
            answer(pending.removeFirst().request, .success(.applied(listeners)))
        case .refused(_, let code, let text):
            guard case .apply? = pending.first?.request.question else { return }
            answer(
                pending.removeFirst().request, .failure(code == .addressInUse ? .addressInUse(text) : .refused(text)))
        case .goodbye(let text): lose(.keeperLost(text), saidGoodbye: true)
        }
    }

    /// The connection is over: who asked for the end gets it, everybody else the reason.
    private func lose(_ reason: WorkerControlError, saidGoodbye: Bool = false) {
        guard let lost = connection.take() else { return }
        let waiting = pending
        pending = []
        for entry in waiting {
            if saidGoodbye, case .stopAll = entry.request.question, lost.awaitEnd(milliseconds: 5_000) {
                answer(entry.request, .success(.stopped))
            } else {
                answer(entry.request, .failure(reason))
            }
        }
        generation = 0
        link.endSignals()
    }

    private func answer(
        _ request: KeeperRequest, _ result: Result<KeeperRequest.Answer, WorkerControlError>
    ) {
        request.answer.resume(returning: result)
    }
}
