import Glibc
import OakumTestKit
import ServiceHandover
import Synchronization

/// Clients that ask again and again, never retry, and count every way in which an answer failed to come.
final class LoadClients: Sendable {
    /// How one client behaves.
    enum Kind: Sendable {
        case newConnectionEach
        case keepAlive(thinkMilliseconds: ClosedRange<Int>)
    }

    struct Report: Sendable {
        var answered = 0
        var failures: [String: Int] = [:]
        var lost: Int { failures.values.reduce(0, +) }
    }

    private let address: ListenAddress
    private let isStopping = Mutex(false)
    private let report = Mutex(Report())

    init(_ address: ListenAddress) { self.address = address }

    var now: Report { report.withLock { $0 } }

    private func stop() { isStopping.withLock { $0 = true } }

    /// Runs the clients for as long as the body takes.
    func run(_ kinds: [Kind], during body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { clients in
            for (index, kind) in kinds.enumerated() {
                clients.addTask { try await self.run(kind, seed: UInt64(index)) }
            }
            // Also when the body fails: a client that goes on would keep the group from ending.
            defer { stop() }
            try await body()
            stop()
            try await clients.waitForAll()
        }
    }

    private func run(_ kind: Kind, seed: UInt64) async throws {
        try await blocking { [self] in
            var random = SeededGenerator(seed: seed)
            var client: PlainClient?
            var lastAnswer = ContinuousClock.now
            var promised = Duration.zero
            while !isStopping.withLock({ $0 }) {
                // What the server promised is kept to, as HTTP libraries do: longer idle connections are not reused.
                let idle = client == nil ? .zero : ContinuousClock.now - lastAnswer
                if idle >= promised { client = nil }
                do {
                    let current = try client ?? PlainClient(address)
                    let answer = try current.get("/hello")
                    guard answer.status == 200, answer.text.hasPrefix("hello") else {
                        throw ClientFailure.malformed("\(answer.status) \(answer.text)")
                    }
                    report.withLock { $0.answered += 1 }
                    lastAnswer = .now
                    promised = Self.window(of: answer)
                    client = answer.closes ? nil : current
                } catch {
                    let reused = client == nil ? "on a new connection" : "after \(idle) idle"
                    client = nil
                    report.withLock { $0.failures["\(error) \(reused)", default: 0] += 1 }
                }
                switch kind {
                case .newConnectionEach: client = nil
                // The think time of a user; nothing waits on it.
                case .keepAlive(let think): poll(nil, 0, CInt(random.int(think)))
                }
            }
        }
    }

    private static func window(of answer: Answer) -> Duration {
        let seconds = answer.headers["keep-alive"]?.split(separator: "=").last.flatMap { Int($0) }
        return .seconds(seconds ?? 0)
    }
}
