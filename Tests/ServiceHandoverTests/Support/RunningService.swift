import Hummingbird
import Logging
import OakumTestKit
import PrometheusText
import ServiceHandover
import ServiceLifecycle
import Synchronization

/// A service that a test has started in its own process.
struct RunningService: Sendable {
    let http: ListenAddress
    let admin: ListenAddress
    let log: LogRecord
    private let group: ServiceGroup

    /// Begins the drain, as SIGTERM would.
    func drain() async { await group.triggerGracefulShutdown() }

    /// A sample of its metrics, summed over labels.
    func metric(_ name: String, where labels: [String: String] = [:]) async throws -> Double {
        let admin = admin
        let answer = try await blocking { try PlainClient(admin).get("/metrics", headers: "Connection: close\r\n") }
        guard answer.status == 200, let value = PrometheusText.parse(answer.text).value(name, where: labels) else {
            throw TestKitError("no \(name) in \(answer)")
        }
        return value
    }

    /// Starts a service in the task group; returns when it serves.
    static func start(
        in tasks: inout ThrowingTaskGroup<Void, any Error>, sockets: HandoverConfiguration.SocketSource? = nil,
        router: Router<BasicRequestContext> = testRouter(), readiness: @escaping @Sendable () async -> Bool = { true },
        configure: (inout HandoverConfiguration) -> Void = { _ in }
    ) async throws -> RunningService {
        var configuration = HandoverConfiguration(
            http: .hostname("127.0.0.1", port: 0), admin: .hostname("127.0.0.1", port: 0))
        configuration.idleWindow = .seconds(1)
        configuration.idleMargin = .milliseconds(500)
        configuration.sockets = sockets ?? .environment
        let (serving, announce) = AsyncStream<(ListenAddress?, ListenAddress?)>.makeStream()
        configuration.onServing = { announce.yield(($0.first, $1)) }
        configure(&configuration)
        let log = LogRecord()
        let logger = Logger(label: "test") { _ in RecordingLogHandler(record: log) }
        let service = HandoverService(
            responder: router.buildResponder(), configuration: configuration, logger: logger, readiness: readiness,
            metrics: { "own_metric 42\n" })
        let group = ServiceGroup(services: [service], logger: logger)
        tasks.addTask {
            defer { announce.finish() }
            try await group.run()
        }
        for await (http, admin) in serving {
            guard let http, let admin else { break }
            return RunningService(http: http, admin: admin, log: log, group: group)
        }
        try await tasks.next()
        throw TestKitError("the service ended before it served")
    }
}

/// Runs a service for the scope, then drains it and waits for its end.
func withService<Result>(
    sockets: HandoverConfiguration.SocketSource? = nil, router: Router<BasicRequestContext> = testRouter(),
    readiness: @escaping @Sendable () async -> Bool = { true },
    configure: (inout HandoverConfiguration) -> Void = { _ in },
    _ body: (RunningService) async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        let service = try await RunningService.start(
            in: &tasks, sockets: sockets, router: router, readiness: readiness, configure: configure)
        let result: Result
        do {
            result = try await body(service)
        } catch {
            tasks.cancelAll()
            throw error
        }
        await service.drain()
        try await tasks.waitForAll()
        return result
    }
}

/// Routes that the tests ask for.
func testRouter(gate: TestGate = TestGate()) -> Router<BasicRequestContext> {
    let router = Router()
    router.get("hello") { _, _ in "hello" }
    router.get("gate") { _, _ -> String in
        try await gate.pass()
        return "passed"
    }
    router.post("upload") { request, _ -> String in
        "\(try await request.body.collect(upTo: 1 << 20).readableBytes)"
    }
    router.get("stream") { _, _ in
        Response(
            status: .ok,
            body: .init { writer in
                for _ in 0..<3 { try await writer.write(ByteBuffer(string: "part;")) }
                try await writer.finish(nil)
            })
    }
    router.get("big") { _, _ in
        Response(
            status: .ok,
            body: .init { writer in
                let part = ByteBuffer(repeating: 120, count: 1 << 16)
                for _ in 0..<1600 { try await writer.write(part) }
                try await writer.finish(nil)
            })
    }
    router.get("fail") { _, _ -> String in throw TestKitError("as asked") }
    return router
}

/// Holds requests back until a test lets them go.
final class TestGate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var arrived = 0
    }

    private let state = Mutex(State())

    /// How many requests have come so far.
    var arrived: Int { state.withLock { $0.arrived } }

    func pass() async throws {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    state.arrived += 1
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        } onCancel: {
            open()
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// A yes or no that a test turns while a service asks for it.
final class Switch: Sendable {
    private let state: Mutex<Bool>

    init(_ isOn: Bool) { state = Mutex(isOn) }

    var isOn: Bool { state.withLock { $0 } }

    func turn(_ isOn: Bool) { state.withLock { $0 = isOn } }
}
