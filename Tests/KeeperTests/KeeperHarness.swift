import CLinux
import Glibc
import KeeperProtocol
import OakumTestKit
import Spawning
import Synchronization

/// A real keeper with a folder of its own. At the end it is asked to stop, and what is left is killed.
func withKeeper(_ body: (RunningKeeper) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        try await withProcess(try builtExecutable("oakum-keeper"), ["--state", folder.path]) { process in
            let keeper = RunningKeeper(folder: folder.path, process: process)
            try await eventually("the keeper's control socket") { try keeper.isReachable() }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(keeper))
            } catch {
                outcome = .failure(error)
            }
            process.send(SIGTERM)
            process.send(SIGTERM)
            let exit = try await process.waitForExit()
            for pid in keeper.startedProcesses.values { kill(pid, SIGKILL) }
            try outcome.get()
            guard exit == .code(0) else { throw TestKitError("the keeper ended with \(exit): \(keeper.ownLog())") }
        }
    }
}

final class RunningKeeper: Sendable {
    let folder: String
    let process: ChildProcess
    /// Every worker process any client was told of.
    let startedProcesses = Recorder<Int32>()

    init(folder: String, process: ChildProcess) {
        self.folder = folder
        self.process = process
    }

    /// A connection that has said hello.
    func client() async throws -> TestClient {
        let client = try TestClient(self)
        try client.send(.hello(version: keeperProtocolVersion))
        guard case .hello = try await client.next() else { throw TestKitError("no hello") }
        return client
    }

    func isReachable() throws -> Bool {
        guard process.exitNow() == nil else { throw TestKitError("the keeper ended: \(process.output())") }
        let descriptor = linux_connect_unix("\(folder)/keeper.sock", 1)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }

    func ownLog() -> String { read("logs/keeper.log") ?? "" }

    /// A file in the keeper's folder as text; nil when it is not there.
    func read(_ name: String) -> String? {
        let descriptor = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk.prefix(count)
        }
    }

    func exists(_ name: String) -> Bool { access("\(folder)/\(name)", F_OK) == 0 }

    func service(
        _ mode: [String], name: String = "web", workers: [UInt32] = [1],
        _ change: (inout ServiceOrder) -> Void = { _ in }
    ) throws -> ServiceOrder {
        var service = ServiceOrder(
            name: name, listen: "127.0.0.1:0", command: [try builtExecutable("fixture-worker")] + mode,
            environment: ["PATH=/usr/bin:/bin", "COLOUR=blue"], stopDeadlineMilliseconds: 5_000,
            backoffMinimumMilliseconds: 50, backoffMaximumMilliseconds: 400, logCapBytes: 64 << 10, workers: workers)
        change(&service)
        return service
    }
}

/// A client of the control socket that says exactly what a test wants.
final class TestClient {
    let descriptor: Int32
    private let keeper: RunningKeeper
    private var decoder = FrameDecoder()
    private var generation: UInt64 = 0
    /// Events that came while an answer was awaited.
    private var events: [KeeperEvent] = []

    init(_ keeper: RunningKeeper) throws {
        self.keeper = keeper
        descriptor = linux_connect_unix("\(keeper.folder)/keeper.sock", 1)
        guard descriptor >= 0 else { throw TestKitError("cannot connect to the keeper: \(descriptor)") }
    }

    deinit { close(descriptor) }

    func send(_ message: ClientMessage) throws {
        guard let frame = message.frame() else { throw TestKitError("too long") }
        guard try send(bytes: frame) == frame.count else { throw TestKitError("the keeper takes no more") }
    }

    /// How many bytes the socket took.
    @discardableResult
    func send(bytes: [UInt8]) throws -> Int {
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        guard count >= 0 || errno == EAGAIN else { throw TestKitError("send failed: errno \(errno)") }
        return max(0, count)
    }

    /// The next message.
    func next() async throws -> KeeperMessage {
        try await eventually("a message of the keeper", within: .seconds(45)) {
            if let body = try decoder.next() { return try KeeperMessage(body: body) }
            guard try receive() else { throw TestKitError("the keeper closed the connection") }
            return nil
        }
    }

    /// Reads until the keeper closes the connection; everything it said before.
    func remainder() async throws -> [KeeperMessage] {
        try await eventually("the end of the connection") {
            if try receive() { return nil }
            var messages: [KeeperMessage] = []
            while let body = try decoder.next() { messages.append(try KeeperMessage(body: body)) }
            return messages
        }
    }

    /// False at the connection's end.
    private func receive() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &chunk, chunk.count)
        if count > 0 { decoder.append(chunk.prefix(count)) }
        return count > 0 || (count < 0 && errno == EAGAIN)
    }

    /// The next message that is no event; events are kept for `event(_:)`.
    private func answer() async throws -> KeeperMessage {
        while true {
            let message = try await next()
            guard case .event(let event) = message else { return message }
            note(event)
        }
    }

    private func note(_ event: KeeperEvent) {
        if case .started(let worker) = event { keeper.startedProcesses.record(worker.process.pid) }
        events.append(event)
    }

    func inspect() async throws -> Inventory {
        try send(.inspect)
        guard case .inventory(let inventory) = try await answer() else { throw TestKitError("no inventory") }
        generation = max(generation, inventory.generation ?? 0)
        return inventory
    }

    /// The listeners as resolved.
    @discardableResult
    func apply(_ services: [ServiceOrder]) async throws -> [Listener] {
        let answer = try await answerToApply(services)
        guard case .applied(_, let listeners) = answer else { throw TestKitError("not applied: \(answer)") }
        return listeners
    }

    func refusal(of services: [ServiceOrder]) async throws -> (RefusalCode, String) {
        let answer = try await answerToApply(services)
        guard case .refused(_, let code, let text) = answer else { throw TestKitError("not refused: \(answer)") }
        return (code, text)
    }

    private func answerToApply(_ services: [ServiceOrder]) async throws -> KeeperMessage {
        generation += 1
        try send(.apply(Order(generation: generation, services: services)))
        return try await answer()
    }

    /// The next event the choice has a value for; those before it are skipped.
    func event<Value>(_ choice: (KeeperEvent) -> Value?) async throws -> Value {
        while true {
            while !events.isEmpty {
                if let value = choice(events.removeFirst()) { return value }
            }
            guard case .event(let event) = try await next() else { continue }
            note(event)
        }
    }

    func started() async throws -> KeptWorkerRecord {
        try await event { event in
            if case .started(let worker) = event { worker } else { nil }
        }
    }

    func ready() async throws -> KeptProcess {
        try await event { event in
            if case .ready(_, let process) = event { process } else { nil }
        }
    }

    func exited() async throws -> (status: ExitStatus, restartIn: UInt32?) {
        try await event { event in
            if case .exited(_, _, let status, let restart) = event { (status, restart) } else { nil }
        }
    }
}

/// True while a process lives; a zombie does not.
func lives(_ pid: Int32) -> Bool {
    // Unreadable: it is gone.
    guard kill(pid, 0) == 0, let stat = try? String(contentsOfProc: "/proc/\(pid)/stat") else { return false }
    return !(stat.split(separator: ")").last?.hasPrefix(" Z") ?? true)
}

extension String {
    init(contentsOfProc path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TestKitError("cannot open \(path)") }
        defer { close(descriptor) }
        var chunk = [UInt8](repeating: 0, count: 4_096)
        let count = read(descriptor, &chunk, chunk.count)
        guard count > 0 else { throw TestKitError("cannot read \(path)") }
        self = String(decoding: chunk.prefix(count), as: UTF8.self)
    }
}

/// The first line that whoever listens there says; waits for it.
func greeting(at address: String, within limit: Duration = .seconds(10)) async throws -> String {
    let descriptor: Int32
    if address.hasPrefix("/") {
        descriptor = linux_connect_unix(address, 1)
    } else {
        descriptor = try connectTCP(address)
    }
    guard descriptor >= 0 else { throw TestKitError("cannot connect to \(address): \(descriptor)") }
    defer { close(descriptor) }
    return try await eventually("a greeting from \(address)", within: limit) {
        var chunk = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &chunk, chunk.count, Int32(MSG_DONTWAIT))
        guard count != 0 else { throw TestKitError("\(address) closed the connection") }
        guard count > 0 else { return nil }
        return String(decoding: chunk.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

func connectTCP(_ address: String) throws -> Int32 {
    guard let port = address.split(separator: ":").last.flatMap({ UInt16($0) }) else {
        throw TestKitError("odd address \(address)")
    }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    target.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &target) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard result == 0 else {
        close(descriptor)
        throw TestKitError("cannot connect to \(address): errno \(errno)")
    }
    return descriptor
}
