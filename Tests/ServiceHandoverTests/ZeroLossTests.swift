import OakumTestKit
import ServiceHandover
import Testing

@Suite(.serialized, .timeLimit(.minutes(10))) struct ZeroLossTests {
    /// New connections, busy kept-alive ones, and slow users who think for most of the advertised second.
    static let clients: [LoadClients.Kind] =
        Array(repeating: .newConnectionEach, count: 6)
        + Array(repeating: .keepAlive(thinkMilliseconds: 0...30), count: 12)
        + Array(repeating: .keepAlive(thinkMilliseconds: 0...900), count: 16)

    @Test func `25 hand-overs between servers that share a socket lose nothing, and every answer is counted`()
        async throws
    {
        let shared = try SharedSocket()
        let load = LoadClients(.hostname("127.0.0.1", port: Int(shared.port)))
        var logs: [LogRecord] = []
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            var current = try await Self.generation(of: shared, in: &tasks)
            logs.append(current.log)
            try await load.run(Self.clients) {
                for _ in 0..<25 {
                    let next = try await Self.generation(of: shared, in: &tasks)
                    logs.append(next.log)
                    await current.drain()
                    current = next
                    let before = load.now.answered
                    try await eventually("more answers") { load.now.answered >= before + 150 }
                }
            }
            await current.drain()
            try await tasks.waitForAll()
        }
        let report = load.now
        #expect(report.failures == [:])
        #expect(report.answered >= 25 * 150)
        #expect(logs.compactMap { $0.number("requests_answered", with: "drained") }.reduce(0, +) == report.answered)
        #expect(logs.compactMap { $0.number("requests_aborted", with: "drained") } == Array(repeating: 0, count: 26))
        #expect(logs.compactMap { $0.number("cut_requests", with: "drained") } == Array(repeating: 0, count: 26))
    }

    private static func generation(
        of shared: SharedSocket, in tasks: inout ThrowingTaskGroup<Void, any Error>
    ) async throws -> RunningService {
        try await RunningService.start(
            in: &tasks, sockets: .descriptors(http: [shared.duplicate()], admin: try SharedSocket().duplicate()),
            // Room for a client that is held up between looking at its clock and sending, on a busy machine.
            configure: { $0.idleMargin = .seconds(3) })
    }
}
