import Logging
import OakumHTTP
import OakumTestKit
import ServiceLifecycle
import Synchronization
import Testing

/// Every suite that runs a real server, one test after the other: a busy machine then slows them down instead of making
/// them miss each other's deadlines.
@Suite(.serialized)
enum RunningServers {}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs a service, waits until it says it is bound, and shuts it down gracefully when the scope ends.
func withRunning<Bound: Sendable, Result>(
    _ make: (@escaping @Sendable (Bound) -> Void) -> any Service,
    _ body: (Bound, ServiceGroup) async throws -> Result
) async throws -> Result {
    let (bound, tell) = AsyncStream.makeStream(of: Bound.self)
    let service = make { tell.yield($0) }
    let group = ServiceGroup(configuration: .init(services: [.init(service: service)], logger: quiet))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { tell.finish() }
            try await group.run()
        }
        var iterator = bound.makeAsyncIterator()
        guard let place = await iterator.next() else {
            try await tasks.waitForAll()
            throw TestKitError("the service ended before it was bound")
        }
        let result = try await body(place, group)
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}

/// A control server over a fake, at a path of its own.
func withControlServer<Result>(
    _ plane: FakeControlPlane, parts: ResponseParts = .none, admits: (@Sendable (UInt32) -> Bool)? = nil,
    _ body: (_ socketPath: String, ServiceGroup) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let path = folder.file("oakum.sock")
        return try await withRunning { (bound: @escaping @Sendable (Bool) -> Void) in
            if let admits {
                ControlServer(
                    socketPath: path, controlPlane: plane, parts: parts, logger: quiet,
                    streamInterval: .milliseconds(20),
                    admits: admits, onBound: { bound(true) })
            } else {
                ControlServer(
                    socketPath: path, controlPlane: plane, parts: parts, logger: quiet,
                    streamInterval: .milliseconds(20),
                    onBound: { bound(true) })
            }
        } _: { _, group in
            try await body(path, group)
        }
    }
}
